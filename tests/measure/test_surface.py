import halab.measure


def test_every_exported_name_is_there_and_documented():
    for name in halab.measure.__all__:
        assert getattr(halab.measure, name).__doc__, name
    assert sorted(halab.measure.__all__) == list(halab.measure.__all__)
