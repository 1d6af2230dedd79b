"""Build the images that docker-compose.yml names, as they are called, where no registry answers.

    .venv/bin/python tests/compose/images.py     (after `tests/compose/engine.sh install` and `start`)

Everything in them comes from package registries: a Debian base with HAProxy, Prometheus, Alertmanager and
Java; Milvus, etcd and SeaweedFS from the wheels of the embedded cluster; Kafka's jars from Maven Central. So
the *versions inside* are not those of the tags: Milvus is 2.3.5, which has the roles and the settings of 2.3
to 2.5.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from halab.cluster.embedded.binaries import Binaries, find_binaries

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BED = Path(os.environ.get("HALAB_COMPOSE_BED", "/var/tmp/halab-compose-bed"))
BASE = "localhost/halab-base"
PACKAGES = "curl,haproxy,openjdk-17-jre-headless,prometheus,prometheus-alertmanager,tini,wget"
BEGUN = time.monotonic()


def say(text: str) -> None:
    print(f"{time.monotonic() - BEGUN:6.1f} s  {text}", flush=True)


def run(*command: str | Path, log: Path, expected: str) -> None:
    with log.open("w") as stream:
        done = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        said = log.read_text()[-2000:]
        sys.exit(f"Expected {expected}; {command[0]} failed, and last said:\n{said}\n  All of it: {log}")


def exists(image: str) -> bool:
    return not subprocess.run(
        ["docker", "image", "inspect", image], capture_output=True, check=False
    ).returncode


def base() -> None:
    """Debian, with the programs that Debian has; `docker build` itself can fetch nothing."""
    if exists(BASE):
        return
    root = BED / "root"
    shutil.rmtree(root, ignore_errors=True)
    run(
        "debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", root, "http://deb.debian.org/debian",
        log=BED / "debootstrap.log", expected="Debian as the base of the images",
    )  # fmt: skip
    for unwanted in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/fonts"):
        shutil.rmtree(root / unwanted, ignore_errors=True)
    tar = subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE)
    subprocess.run(["docker", "import", "-", BASE], stdin=tar.stdout, stdout=subprocess.DEVNULL, check=True)
    if tar.wait():
        sys.exit(f"tar could not read {root}.")
    shutil.rmtree(root)
    say("base: Debian 12 with HAProxy, Prometheus, Alertmanager, Java")


def jars(version: str) -> Path:
    """Kafka's jars. A log of another make would be another lesson: without them there is no cluster."""
    target = BED / f"kafka-{version}"
    if not target.exists():
        room = BED / "kafka.new"
        shutil.rmtree(room, ignore_errors=True)
        run(
            "mvn", "-q", "-B", "-f", HERE / "images/kafka/pom.xml", f"-Dkafka.version={version}",
            "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={room}",
            log=BED / "maven.log", expected="Kafka's jars from Maven Central, and no other log instead",
        )  # fmt: skip
        room.rename(target)
        say(f"kafka: jars of {version} from Maven Central")
    return target


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def milvus(room: Path, binaries: Binaries, _: str) -> None:
    for library in binaries.milvus_libraries.glob("*.so*"):
        copy(library, room / "lib" / library.name)
    copy(binaries.milvus, room / "bin" / "milvus")
    template = (binaries.milvus_data / "config.yaml.template").read_text()
    defaults = yaml.safe_load(re.sub(r"\{\{\s*[\w()]+(?::\s*([^}]*?))?\s*\}\}", r"\1", template))
    # The wheel's template is for Milvus in one process; these are in the official image's milvus.yaml.
    defaults["etcd"]["use"]["embed"] = False
    defaults["localStorage"]["path"] = "/var/lib/milvus/data"
    defaults["log"]["file"]["rootPath"] = ""
    defaults["kafka"] = dict.fromkeys(
        ("saslUsername", "saslPassword", "saslMechanisms", "securityProtocol"), ""
    )
    (room / "configs").mkdir()
    (room / "configs" / "milvus.yaml").write_text(yaml.safe_dump(defaults))
    glog = (binaries.milvus_data / "glog.conf").read_text()
    (room / "configs" / "glog.conf").write_text(glog.replace("--logtostderr=false", "--logtostderr=true"))


def etcd(room: Path, binaries: Binaries, _: str) -> None:
    for name in ("etcd", "etcdctl"):
        copy(binaries.etcd.with_name(name), room / name)
        (room / name).chmod(0o755)


def seaweedfs(room: Path, binaries: Binaries, _: str) -> None:
    copy(binaries.weed, room / "weed")


def kafka(room: Path, _: Binaries, tag: str) -> None:
    shutil.copytree(HERE / "images/kafka", room, dirs_exist_ok=True)
    shutil.copytree(jars(tag), room / "libs")


def nothing(_room: Path, _binaries: Binaries, _tag: str) -> None:
    """All of it is in the base."""


KINDS: dict[str, Callable[[Path, Binaries, str], None]] = {
    "milvusdb/milvus": milvus,
    "quay.io/coreos/etcd": etcd,
    "chrislusf/seaweedfs": seaweedfs,
    "apache/kafka": kafka,
    "haproxy": nothing,
    "prom/prometheus": nothing,
    "prom/alertmanager": nothing,
}


def build(image: str, binaries: Binaries) -> None:
    name, _, tag = image.partition(":")
    kind = name.rpartition("/")[2]
    room = BED / "context" / kind
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir(parents=True)
    KINDS[name](room, binaries, tag)
    run(
        "docker", "build", "-q", "-t", image, "-f", HERE / f"images/{kind}.Dockerfile", room,
        log=BED / f"{kind}.log", expected=f"the image {image}",
    )  # fmt: skip
    shutil.rmtree(room)
    say(f"built {image}")


def wanted() -> list[str]:
    """The images that docker-compose.yml names, whichever the profile."""
    command = ["docker", "compose", "-f", ROOT / "docker-compose.yml", "--profile", "*", "config", "--images"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return sorted(set(listed.split()))


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--force", action="store_true", help="build also what is there")
    force = parser.parse_args().force
    missing = [image for image in wanted() if force or not exists(image)]
    for image in [image for image in missing if image.partition(":")[0] not in KINDS]:
        say(f"{image} is in no registry that can be reached here: not built, and its service is not run")
        missing.remove(image)
    if not missing:
        say("all images are there")
        return
    # The network is waited for, and what the base needs is not what the jars need.
    with ThreadPoolExecutor() as pool:
        waits = [pool.submit(base), pool.submit(find_binaries)]
        waits += [
            pool.submit(jars, image.partition(":")[2])
            for image in missing
            if image.startswith("apache/kafka:")
        ]
        for wait in waits:
            wait.result()
    binaries = find_binaries()
    for image in missing:
        build(image, binaries)


if __name__ == "__main__":
    main()
