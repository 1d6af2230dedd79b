"""Which session TTLs keep both promises of exercise 6: what its checks and answers are tested against."""

from halab.models.failover import Lease, Stalls, detection, false_alarms_per_year


def ttl_choices(
    rto: float, false_alarms: float, stalls: Stalls, after: float, processes: int = 1, longest: int = 120
) -> range:
    """The session TTLs, whole seconds, that keep both promises; an empty range if none does.

    `rto` bounds the outage in the worst case: ttl + 0.5 + `after` <= rto, where `after` is the seconds from
    the fault noticed to clients back. `false_alarms` bounds the needless failovers expected in a year.
    etcd grants leases in whole seconds and none under 2 s: 1.5 election timeouts,
    rounded up (server/etcdserver/server.go, minTTL).
    """
    quick = [ttl for ttl in range(2, longest + 1) if detection(Lease(ttl)).most + after <= rto]
    calm = [ttl for ttl in quick if false_alarms_per_year(Lease(ttl), stalls, processes) <= false_alarms]
    return range(calm[0], calm[-1] + 1) if calm else range(0)
