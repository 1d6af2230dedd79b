"""N + 1 in memory: a copy's nodes are its own."""

import pytest

from halab.models.memory_headroom import Fit, headroom


@pytest.mark.parametrize(
    ("nodes", "node", "copy", "copies", "now", "after"),
    [
        (4, 8, 10, 2, Fit(2, 5, True), Fit(1, 10, False)),
        (6, 8, 10, 2, Fit(3, 10 / 3, True), Fit(2, 5, True)),
        (5, 8, 10, 2, Fit(2, 5, True), Fit(1, 10, False)),  # the copy with the fewest nodes counts
        (4, 11.2, 10, 2, Fit(2, 5, True), Fit(1, 10, True)),
        (2, 8, 5, 2, Fit(1, 5, True), Fit(0, 5, False)),
        (1, 8, 7.5, 1, Fit(1, 7.5, False), Fit(0, 7.5, False)),  # over 90 %
    ],
)
def test_the_copy_with_the_fewest_nodes_decides(nodes, node, copy, copies, now, after):
    assert headroom(nodes, node, copy, copies) == (now, after)


def test_fewer_nodes_than_copies_and_no_size_are_refused():
    with pytest.raises(ValueError, match="3 copies need as many query nodes; there are 2"):
        headroom(2, 8, 5, 3)
    with pytest.raises(ValueError, match="copy_gib"):
        headroom(2, 8, 0, 1)
