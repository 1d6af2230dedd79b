"""A JupyterHub on one machine, for a trial or for people who trust each other: all seats are one system user.

It is started in a folder of its own, where its state and the seats' homes go. Who logs in may say any name.
"""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821 - traitlets defines it
docs, hub = Path(__file__).resolve().parent, Path.cwd()

c.JupyterHub.bind_url = "http://127.0.0.1:8000"  # for other machines: their address here, and HTTPS before it
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = os.environ["HALAB_HUB_PASSWORD"]
c.Authenticator.allow_all = True

c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(hub / "seats" / "{username}")
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args = [f"--config={docs / 'jupyter_server_config.py'}"]
if os.geteuid() == 0:  # in a container
    c.Spawner.args += ["--allow-root"]
c.Spawner.default_url = "/lab/tree/course/00-start-here.ipynb"
c.Spawner.http_timeout = c.Spawner.start_timeout = 120  # seconds: twenty seats may start at once
c.Spawner.environment = {
    "HALAB_COURSE": str(docs.parent),
    "HALAB_CLASS": str(hub / "class"),
    "HALAB_LEARNER": lambda spawner: spawner.user.name,
    "HALAB_CACHE": str(hub / "cache"),  # the binaries are unpacked once for all
    "HALAB_WORK": lambda spawner: str(hub / "seats" / spawner.user.name / "work"),
}
