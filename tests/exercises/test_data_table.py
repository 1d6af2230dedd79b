from halab.exercises.data_table import data_table


def test_a_record_is_a_row_under_the_names_that_the_code_uses():
    table = data_table(
        "Roles", {"etcd": {"members": ["a", "b"], "needed": 2}, "log": {"members": [], "needed": 1}}
    )
    assert table.headings == ("", "members", "needed")
    assert table.rows == (("etcd", "a, b", "2"), ("log", "", "1"))


def test_without_records_there_are_no_rows():
    assert data_table("Roles", {}).rows == ()
