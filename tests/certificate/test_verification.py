"""An altered certificate, journal or notebook is found out; what holds and what nobody can tell is said."""

import copy
import hashlib
import json
import shutil
import time
from datetime import datetime, timedelta

import pytest

from halab.certificate.record import COURSE, Certificate, items, read_certificate
from halab.certificate.signing_keys import SigningKey, make_key, own_key
from halab.certificate.verification import verify
from halab.errors import CourseError
from halab.measure.journal.journal_file import Journal


def leaves(data, path=()):
    """Every single value of a JSON document, by the way to it."""
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from leaves(value, (*path, key))
    else:
        yield path, data


def altered(data, path, value):
    data = copy.deepcopy(data)
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return data


def another(value):
    """A value of the same kind that says something else and keeps to the form."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    return value[:-1] + ("0" if value[-1:] != "0" else "1")


def signed_again(data, key: SigningKey):
    """What somebody with a key of their own makes of altered data."""
    certificate = Certificate.model_validate_json(json.dumps(data | {"public_key": key.public.text}))
    return certificate.model_copy(update={"signature": key.sign(certificate.signed_part())}).as_data()


def check(path, **options):
    (result,) = verify([path], **options)
    return result


def test_an_untouched_certificate_holds_and_says_what_it_does_not_prove(whole_course):
    result = check(whole_course.certify(), work=whole_course.work)
    assert result.failures == ()
    assert own_key().public.fingerprint in result.proven[0]
    unproven = " ".join(result.unproven)
    assert "the learner's own: nobody else vouches" in unproven
    assert "Ada Lovelace did the work, and alone" in unproven
    assert "has no secret" in unproven


def test_every_single_field_that_is_altered_is_found_out(whole_course, tmp_path):
    path = whole_course.certify()
    data = json.loads(path.read_text())
    flipped = tmp_path / "flipped.json"
    for path_to, value in leaves(data):
        flipped.write_text(json.dumps(altered(data, path_to, another(value))))
        assert not check(flipped).ok, path_to


def test_a_field_added_taken_away_or_written_twice_is_found_out(whole_course, tmp_path):
    path = whole_course.certify()
    data = json.loads(path.read_text())
    flipped = tmp_path / "flipped.json"
    for change in (
        data | {"note": "excellent"},
        {key: value for key, value in data.items() if key != "signature"},
        altered(data, ("record", "journals"), data["record"]["journals"][:-1]),
        altered(data, ("record", "journals", 0, "machine"), "mine"),
    ):
        flipped.write_text(json.dumps(change))
        assert not check(flipped).ok
    flipped.write_text(path.read_text().replace('"name": ', '"name": "Eve", "name": ', 1))
    assert "twice" in check(flipped).failures[0]


def test_other_spacing_is_no_alteration(whole_course, tmp_path):
    path = whole_course.certify()
    data = json.loads(path.read_text())
    (tmp_path / "dense.json").write_text(json.dumps(data, separators=(",", ":")))
    assert check(tmp_path / "dense.json").ok


@pytest.mark.parametrize(
    ("path_to", "value", "told"),
    [
        (("exercises", 5, "points"), 15.9, "Card 6: 15.9 of 20 points do not make 80%."),
        (("exercises", 5, "points"), 21.0, "Card 6: 21 of 20 points"),
        (("exercises", 5, "card"), 7, "Card 6 has 0 graded exercises"),
        (("journals", 5, "card"), 7, "Card 6 has no measurement."),
        (("journals", 5, "engine"), "simulated", "A simulated run is counted"),
        (
            ("journals", 5, "started"),
            "2999-01-01T00:00:00Z",
            "Measured after the day of issue: 06-crash.jsonl",
        ),
        (("exercises", 10, "points"), 15.0, "Lesson 12: 15 of 20 points do not make 80%."),
        (("journals", 10, "card"), 7, "Lesson 12 has no measurement."),
        (("items", 9, "cards"), [6], "ten items are not those"),
        (("share",), 0.5, "ten items are not those"),
    ],
)
def test_a_record_that_does_not_add_up_fails_though_it_is_signed(
    whole_course, tmp_path, path_to, value, told
):
    data = json.loads(whole_course.certify().read_text())
    path = tmp_path / "signed.json"
    path.write_text(json.dumps(signed_again(altered(data, ("record", *path_to), value), own_key())))
    result = check(path)
    assert any(told in one for one in result.failures), result.failures


def test_a_measurement_counted_for_two_cards_fails_though_it_is_signed(whole_course, tmp_path):
    data = json.loads(whole_course.certify().read_text())
    sketch = data["record"]["journals"][4]["probes_sketch"]
    twice = altered(data, ("record", "journals", 5, "probes_sketch"), sketch)
    path = tmp_path / "signed.json"
    path.write_text(json.dumps(signed_again(twice, own_key())))
    assert "One measurement is counted twice." in check(path).failures


def test_a_simulated_journal_has_no_place_in_the_form(whole_course, tmp_path):
    data = json.loads(whole_course.certify().read_text())
    path = tmp_path / "signed.json"
    path.write_text(json.dumps(altered(data, ("record", "journals", 5, "simulated"), True)))
    assert "record.journals.5.simulated" in check(path).failures[0]


def test_the_key_that_was_named_must_be_the_one_that_signed(whole_course, tmp_path):
    issuer, other = make_key(tmp_path / "issuer"), make_key(tmp_path / "other")
    path = whole_course.certify(key=issuer)
    result = check(path, public_key=issuer.public)
    assert result.ok
    assert "That key is the one you named." in result.proven
    assert not any("Who holds that key" in one for one in result.unproven)
    (told,) = check(path, public_key=other.public).failures
    assert other.public.fingerprint in told


def test_what_calls_itself_an_issuer_s_holds_only_with_the_issuer_s_key_named(whole_course, tmp_path):
    (told,) = check(whole_course.certify(key=make_key(tmp_path / "anybody"))).failures
    assert "anybody can write that" in told
    assert "--public-key" in told


@pytest.mark.parametrize(("ahead", "fails"), [(200, False), (400, True)])
def test_clocks_may_be_minutes_apart(whole_course, tmp_path, ahead, fails):
    """Of the machine that measured, and the one that signed."""
    data = json.loads(whole_course.certify().read_text())
    issued = datetime.fromisoformat(data["record"]["issued"])
    started = (issued + timedelta(seconds=ahead)).isoformat()
    path = tmp_path / "signed.json"
    late = altered(data, ("record", "journals", 5, "started"), started)
    path.write_text(json.dumps(signed_again(late, own_key())))
    assert any("Measured after the day of issue" in one for one in check(path).failures) == fails


def test_what_was_altered_in_the_work_folder_is_named(whole_course):
    path = whole_course.certify()
    whole_course.journal(2).unlink()
    whole_course.journal(3).write_text(whole_course.journal(3).read_text().replace('"ok"', '"fail"'))
    whole_course.measure(4)
    whole_course.copy(5).write_text(whole_course.copy(5).read_text() + "\n")
    whole_course.copy(6).unlink()
    whole_course.source(7).write_text("{}")
    told = check(path, work=whole_course.work).failures
    assert [one.split(" was ")[0].split(" is ")[0] for one in told] == [
        "journals/02-crash.jsonl",
        "journals/03-crash.jsonl",
        "journals/04-crash.jsonl",
        "exercises/05-reading/05-reading.ipynb",
        "exercises/06-failover-timeline/06-failover-timeline.ipynb",
        "Exercise 07-rto-rpo",
    ]
    assert "is missing" in told[0]
    assert "line 2 was altered" in told[1]
    assert "another measurement" in told[2]
    assert "altered since it was graded" in told[3]
    assert check(path).ok, "without the folder, the signature alone is looked at"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/St_Johns"])
def test_what_is_read_back_is_what_was_signed_in_every_time_zone(whole_course, monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    path = whole_course.certify()
    monkeypatch.undo()
    time.tzset()
    certificate, signed = read_certificate(path)
    assert certificate.signed_part() == signed
    assert check(path).ok


def test_a_certificate_signs_the_same_words_as_those_before_it():
    """Also after a change of a translation: a certificate with other words does not verify."""
    words = [COURSE.in_("en"), COURSE.in_("zh"), *([one.en, one.zh, *one.cards] for one in items())]
    signed = hashlib.sha256(json.dumps(words).encode()).hexdigest()
    assert signed == "9608f51baf75e81764969981692fa8eeca2d8eb279cf28b1e146179cddf00162"


def test_a_folder_that_was_moved_still_holds(whole_course, moved):
    name = whole_course.certify().name
    there = moved()
    assert check(there / "certificates" / name, work=there).ok


def test_a_measurement_in_two_learners_certificates_is_reported_in_both(learner_of):
    ada = learner_of("ada")
    first = ada.certify()
    bo = learner_of("bo")
    shutil.copy(ada.journal(6), bo.journal(6))
    second = bo.certify(name="Bo")
    results = verify([first, second])
    assert [one.ok for one in results] == [False, False]
    assert f"06-crash.jsonl: the same is in {second.name}, of learner bo" in results[0].failures[0]
    assert "of learner ada" in results[1].failures[0]


def test_a_neighbour_s_measurement_is_known_with_probes_left_out_and_notes_added(learner_of):
    ada = learner_of("ada")
    ada.measure(6, probes=200)
    first = ada.certify()
    bo = learner_of("bo")
    theirs = Journal.load(ada.journal(6))
    fewer = Journal.write(theirs.header, samples=theirs.samples()[10:], faults=theirs.faults, notes=["mine"])
    bo.journal(6).unlink()
    fewer.save(bo.journal(6))
    results = verify([first, bo.certify(name="Bo")])
    assert all("06-crash.jsonl: the same is in" in one.failures[0] for one in results)


def test_two_learners_with_work_of_their_own_share_nothing_and_one_may_be_certified_twice(learner_of):
    first = learner_of("ada").certify()
    bo = learner_of("bo")
    second = bo.certify()
    again = second.with_name("again.json")
    shutil.copy(second, again)
    assert [one.ok for one in verify([first, second, again])] == [True, True, True]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not JSON, or was cut off"),
        (b"\xff\xfe", "not JSON, or was cut off"),
        (b"[" * 100_000, "not JSON, or was cut off"),
        (b"[]", "no certificate"),
        (b'{"name": "x"}', "no certificate of this course"),
        (b'{"format": "halab-certificate", "version": 3}', "version 3; this halab reads version 4"),
        (b'{"format": "halab-certificate", "version": 4}', "record: Field required"),
        (b" " * 5_000_001, "more than 5,000,000 bytes"),
    ],
)
def test_a_file_that_is_no_certificate_is_told_and_spoils_no_other(whole_course, tmp_path, content, told):
    (tmp_path / "odd.json").write_bytes(content)
    odd, good = verify([tmp_path / "odd.json", whole_course.certify()])
    assert told in odd.failures[0]
    assert good.ok


def test_a_truncated_or_absent_certificate_is_told(whole_course, tmp_path):
    path = whole_course.certify()
    (tmp_path / "cut.json").write_bytes(path.read_bytes()[:-200])
    assert "cut off" in check(tmp_path / "cut.json").failures[0]
    assert "cannot be read" in check(tmp_path / "absent.json").failures[0]


def test_a_work_folder_is_of_one_learner(whole_course, tmp_path):
    path = whole_course.certify()
    with pytest.raises(CourseError, match="one learner"):
        verify([path, path], work=whole_course.work)
    with pytest.raises(CourseError, match="no learner's folder"):
        verify([path], work=tmp_path / "nowhere")
