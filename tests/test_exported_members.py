"""What the front doors export is meant: a name is added or taken away on purpose."""

import importlib
import inspect
import pkgutil

import halab
from halab import errors
from halab.protect import backup


def test_the_front_door_is_small():
    assert sorted(halab.__all__) == ["cluster", "doctor", "errors"]


def test_every_exported_name_is_there_in_order_and_documented():
    for module in (halab, errors, backup):
        for name in module.__all__:
            assert getattr(module, name).__doc__, f"{module.__name__}.{name}"
        assert sorted(module.__all__) == list(module.__all__), module.__name__


def test_every_error_is_a_halab_error_and_is_drawn_in_the_tree():
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.HalabError)
        assert name in errors.__doc__


def test_the_function_and_the_room_called_cluster_live_together():
    from halab.cluster.protocol import Cluster

    with halab.cluster(engine="simulated") as simulated:
        assert isinstance(simulated, Cluster)


def test_no_module_is_hidden_by_a_function():
    import halab.cluster as room

    assert inspect.ismodule(room)
    for package in pkgutil.walk_packages(halab.__path__, "halab."):
        if package.ispkg:
            module = importlib.import_module(package.name)
            for child in pkgutil.iter_modules(module.__path__, f"{package.name}."):
                importlib.import_module(child.name)
                assert inspect.ismodule(getattr(module, child.name.rpartition(".")[2])), child.name
