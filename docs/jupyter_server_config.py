"""Jupyter's settings for a seat on JupyterHub: what `halab lab` gives on the command line."""

import os
from pathlib import Path

import halab.course.jupyterlab
from halab.course.workspace import make_workspace, open_copy

c = get_config()  # noqa: F821 - traitlets defines it
work = make_workspace()
os.environ |= halab.course.jupyterlab.lab_environment(work)
c.ServerApp.root_dir = str(work)
c.LabApp.user_settings_dir = os.environ["JUPYTERLAB_SETTINGS_DIR"]
c.LabApp.workspaces_dir = os.environ["JUPYTERLAB_WORKSPACES_DIR"]
c.ServerApp.contents_manager_class = "halab.course.contents_manager.WorkspaceContentsManager"
c.LabApp.extension_manager = "readonly"  # the other one asks PyPI
c.LabApp.app_settings_dir = str(Path(halab.course.jupyterlab.__file__).with_name("lab_settings"))
open_copy(halab.course.jupyterlab.START)
