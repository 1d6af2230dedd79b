"""Answers to exercise 9 as learners give them: what each earns, and which hint it gets."""

from halab.exercises.health_checks.variant import probes_reaching, variant
from support.answers import Answers, Wrong

DETECTED = """
def detected(probe, fault):
    least = {least}
    return least, least + probe["period"]
"""
MANIFEST = '''
def manifest(goal):
    for timeout in range(1, 30):
        for failures in range(1, 30):
            for period in {periods}:
                probe = {{"period": period, "timeout": timeout, "failures": failures}}
                if detected(probe, "{fault}")[1] > goal["within"]:
                    continue
                if {patient}:
                    return f"""apiVersion: v1
kind: Pod
metadata: {{{{name: milvus}}}}
spec:
  containers:
    - name: milvus
      image: milvusdb/milvus:v2.3.5
      livenessProbe:
        httpGet: {{{{path: /healthz, port: 9091}}}}
        {period}: {{period}}
        timeoutSeconds: {{timeout}}
        failureThreshold: {{failures}}
      readinessProbe:
        httpGet: {{{{path: /healthz, port: 9091}}}}
      startupProbe:
        httpGet: {{{{path: /healthz, port: 9091}}}}
        periodSeconds: 5
        failureThreshold: {start}
"""
    {end}
'''
GOOD = {
    "fault": "hang",
    "periods": "range(1, 30)",
    "patient": 'restarts(probe, late(goal["latencies"], timeout)) * goal["years"] <= 1',
    "period": "periodSeconds",
    "start": '{int(goal["start"]) // 5 + 2}',
    "end": 'raise ValueError("no")',
}


def written(**other):
    return {"09-2-manifest-answer": MANIFEST.format(**(GOOD | other))}


WRONG = {
    "takes the card's product for both": Wrong(
        {
            "09-1-detected-answer": "def detected(probe, fault):\n"
            '    return 0, probe["period"] * probe["failures"]'
        },
        {
            "09-1-crash": "09.1.least",
            "09-1-hang": "09.1.hang",
            "09-2-refused": "09.2.refused",
        },
    ),
    "lets probes overtake each other": Wrong(
        {
            "09-1-detected-answer": DETECTED.format(
                least='(probe["failures"] - 1) * probe["period"] + probe["timeout"] * (fault == "hang")'
            )
        },
        {"09-1-hang": "09.1.late"},
    ),
    "believes what has not happened impossible": Wrong(
        {
            "09-1-late-answer": "def late(latencies, timeout):\n"
            "    return sum(each > timeout for each in latencies) / len(latencies)"
        },
        {"09-1-share": "09.1.share", "09-2-patient": "09.2.patient"},
    ),
    "counts each late answer": Wrong(
        {
            "09-1-false-answer": "def restarts(probe, p):\n"
            '    return 365 * 86400 / probe["period"] * p / probe["failures"]'
        },
        {
            "09-1-false": "09.1.false",
            "09-2-valid": "09.2.valid",
            "09-2-time": "09.2.time",
            "09-2-patient": "09.2.patient",
            "09-2-start": "09.2.start",
        },
    ),
    "misspells a field": Wrong(
        written(period="periodSecond"),
        dict.fromkeys(("09-2-valid", "09-2-time", "09-2-patient", "09-2-start"), "09.2.valid"),
    ),
    "is quick and rash": Wrong(
        written(patient="True"), {"09-2-patient": "09.2.patient", "09-2-refused": "09.2.refused"}
    ),
    "reckons with crashes only": Wrong(
        written(fault="crash", periods="range(29, 0, -1)"),
        {"09-2-time": "09.2.time", "09-2-refused": "09.2.refused"},
    ),
    "forgets the slow start": Wrong(written(start="3"), {"09-2-start": "09.2.start"}),
    "promises anything": Wrong(
        written(end='return manifest(goal | {"within": 200, "years": 0.001})'),
        {"09-2-refused": "09.2.refused"},
    ),
    "begins in service": Wrong(
        {
            "09-3-changes-answer": """
def changes(answers, failures, successes):
    ready, run, last, found = True, 0, None, []
    for index, passed in enumerate(answers):
        run = run + 1 if passed == last else 1
        last = passed
        if passed != ready and run >= (successes if passed else failures):
            ready = passed
            found.append((index, ready))
    return found
"""
        },
        {"09-3-ready": "09.3.first"},
    ),
    "restarts on and on": Wrong(
        {
            "09-3-restarted-answer": """
def restarted(answers, failures):
    run, found = 0, []
    for index, passed in enumerate(answers):
        run = 0 if passed else run + 1
        if run >= failures:
            found.append(index)
    return found
"""
        },
        {"09-3-restart": "09.3.restart"},
    ),
}


class TestAnswers(Answers):
    NAME = "09-health-checks"
    WRONG = WRONG
    variant = variant
    NEIGHBOUR_FAILS = ("09-2-refused", "09-2-start")
    PACKED = False  # task 2 is solved with the functions of task 1: answers packed together would mix

    @staticmethod
    def neighbour():
        fit = next(probes_reaching(variant("bo").goal))
        return written(
            patient=f"(period, timeout, failures) == ({fit.period}, {fit.timeout}, {fit.failures})",
            start="30",
            end='return ""',
        )

    def test_a_mistake_in_yaml_is_told_with_its_line(self, graded):
        told = [check.behaviour for report in graded.reports.values() for check in report.checks]
        assert any("Line " in text and "periodSecond" in text for text in told)
