import grpc
import pytest
from pymilvus.grpc_gen import common_pb2

from halab.cluster.simulated import SimulatedCluster
from halab.errors import MeasurementError
from halab.measure.experiments.fault_experiment import experiment
from halab.measure.probing import operations
from halab.measure.probing.operations import NamedOperation, Renamed, Search, classify, classify_status
from halab.measure.probing.retriever import Retriever
from halab.models.samples import Outcome

CODE = grpc.StatusCode
REFUSED = "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Connection refused"


@pytest.mark.parametrize(
    ("code", "details", "read", "write"),
    [
        (CODE.DEADLINE_EXCEEDED, "Deadline Exceeded", Outcome.UNKNOWN, Outcome.UNKNOWN),
        (CODE.UNAVAILABLE, REFUSED, Outcome.FAIL, Outcome.FAIL),
        (CODE.UNKNOWN, "Milvus Proxy is not ready yet. please wait", Outcome.FAIL, Outcome.FAIL),
        (CODE.INTERNAL, "failed to connect to data node", Outcome.FAIL, Outcome.UNKNOWN),
        (CODE.UNAVAILABLE, "Socket closed", Outcome.FAIL, Outcome.UNKNOWN),
        (CODE.UNAVAILABLE, "", Outcome.FAIL, Outcome.UNKNOWN),
        (CODE.CANCELLED, "Received RST_STREAM", Outcome.FAIL, Outcome.UNKNOWN),
        (CODE.INTERNAL, "stream removed", Outcome.FAIL, Outcome.UNKNOWN),
        (CODE.PERMISSION_DENIED, "no", Outcome.FAIL, Outcome.FAIL),
        (CODE.UNIMPLEMENTED, "no", Outcome.FAIL, Outcome.FAIL),
    ],
)
def test_a_grpc_error_is_definite_only_if_the_request_cannot_have_happened(code, details, read, write):
    assert classify(code, details, writes=False) is read
    assert classify(code, details, writes=True) is write


@pytest.mark.parametrize(
    ("status", "read", "write"),
    [
        ({}, Outcome.OK, Outcome.OK),
        ({"code": 65535, "reason": "no shard leader"}, Outcome.FAIL, Outcome.FAIL),
        ({"error_code": 1, "reason": "no shard leader"}, Outcome.FAIL, Outcome.FAIL),
        ({"code": 1, "reason": "context deadline exceeded"}, Outcome.FAIL, Outcome.UNKNOWN),
        ({"code": 1, "reason": "rpc: context canceled"}, Outcome.FAIL, Outcome.UNKNOWN),
    ],
)
def test_an_error_status_is_a_failure_unless_a_write_timed_out_inside_milvus(status, read, write):
    assert classify_status(common_pb2.Status(**status), writes=False) is read
    assert classify_status(common_pb2.Status(**status), writes=True) is write


def test_an_error_is_kept_without_the_stack_trace_before_it():
    trace = (
        "stack trace: /m/pkg/tracer/stack_trace.go:51 github.com/m/pkg/tracer.StackTrace\n"
        "/m/internal/proxy/impl.go:2261 github.com/m/internal/proxy.(*Proxy).Insert: service not ready\nmore"
    )
    assert operations.first_line(trace) == "service not ready"
    assert operations.first_line("") == ""
    assert len(operations.first_line("x" * 1000)) == 200


def test_nothing_to_connect_to_is_said_before_the_measurement_starts(monkeypatch):
    monkeypatch.setattr(operations, "CONNECT_TIMEOUT", 0.2)
    search = Search("http://127.0.0.1:1", "passages", [[1.0]])
    with pytest.raises(MeasurementError, match=r"no proxy at 127\.0\.0\.1:1"):
        search.start()


def test_a_strong_search_is_given_longer_and_asks_for_strong_consistency():
    plain, strong = (Search("127.0.0.1:1", "passages", [[1.0]], strong=strong) for strong in (False, True))
    assert (plain.name, strong.name) == ("search", "strong search")
    assert plain.timeout(1.0) == 1.0
    assert strong.timeout(1.0) == 2.0
    levels = [search._request(0)[0].consistency_level for search in (plain, strong)]
    assert levels == [common_pb2.ConsistencyLevel.Bounded, common_pb2.ConsistencyLevel.Strong]


def test_a_simulated_operation_cannot_be_sent():
    with pytest.raises(MeasurementError, match="simulated"):
        NamedOperation("search").send(0, 1.0, lambda outcome, error: None)


def test_two_searches_can_be_told_apart_by_name_in_one_measurement():
    cluster = SimulatedCluster("lab", "ha", 10)
    one, three = Retriever(cluster, replicas=1), Retriever(cluster, replicas=3)
    both = [
        Renamed(one.operations("search")[0], "one copy"),
        Renamed(three.operations("search")[0], "three copies"),
    ]
    journal = experiment(
        cluster, "crash query node 1", retriever=three, operations=both, seconds=15, progress=False
    )

    def bad(name):
        return sum(sample.outcome is not Outcome.OK for sample in journal.samples(name))

    assert bad("one copy") > bad("three copies")
