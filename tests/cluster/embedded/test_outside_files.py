"""The folder that every Milvus of a machine writes to."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from halab.cluster.embedded import outside_files
from halab.cluster.embedded.outside_files import remove_outside_files, share_milvus_folder
from halab.errors import ClusterError


def test_the_folder_is_everybodys_whatever_the_umask(tmp_path):
    old = os.umask(0o077)
    try:
        share_milvus_folder(tmp_path / "milvus")
    finally:
        os.umask(old)
    assert (tmp_path / "milvus").stat().st_mode & 0o7777 == 0o1777


def test_one_that_others_keep_for_themselves_is_told_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(outside_files.os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(ClusterError, match="this user may not") as caught:
        share_milvus_folder(tmp_path)
    assert caught.value.hint.endswith(f"chmod 1777 {tmp_path}")


def test_only_what_is_this_clusters_or_nobodys_any_more_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(outside_files, "MILVUS", tmp_path)
    monkeypatch.setattr(outside_files, "MILVUS_OF_ROOT", tmp_path / "none")
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    kept = {f"server_id_{os.getpid()}", "proxy-halab-b-proxy-1.pid", "server_id_x"}
    for name in kept | {f"server_id_{ended.pid}", "proxy-halab-a-proxy-1.pid"}:
        (tmp_path / name).touch()
    socket = tmp_path / "halab-a" / "supervisor"
    socket.parent.mkdir()
    remove_outside_files(SimpleNamespace(of_role=lambda _: [], socket=socket))
    assert {path.name for path in tmp_path.iterdir()} == kept
