"""The guide is as the code is, and what it says one should type works."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from contrib.docs import hooks

PAGE = hooks.ROOT / "docs" / "plugins.md"
TEXT = PAGE.read_text()

#: Does what `pip install --editable` would, without a network: the folder on the path, and its entry points known.
PIP = """\
#!{python}
import os, pathlib, tomllib
project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
site = pathlib.Path(os.environ["PYTHONPATH"])
info = site / f"{{project['name'].replace('-', '_')}}-{{project['version']}}.dist-info"
info.mkdir()
(info / "METADATA").write_text(f"Metadata-Version: 2.1\\nName: {{project['name']}}\\nVersion: {{project['version']}}\\n")
points = project["entry-points"]["imserver"]
(info / "entry_points.txt").write_text("[imserver]\\n" + "".join(f"{{k}} = {{v}}\\n" for k, v in points.items()))
for file in pathlib.Path().glob("*.py"):
    (site / file.name).symlink_to(file.absolute())
"""

#: Nobody else listens there.
LISTEN = """
[listen]
c2s = ["127.0.0.1:0"]
c2s_tls = []
http = []
"""


def commands() -> tuple[str, str]:
    """Read what is to be typed: all, and at last what runs the server."""
    *blocks, last = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    return "\n".join(blocks), last


def test_the_code_in_the_guide_is_that_of_the_server() -> None:
    assert hooks.filled(TEXT) == TEXT, "run `make docs`"


@pytest.mark.parametrize("node", hooks.specifications(), ids=lambda node: node.name)
def test_every_hook_stands_there_with_its_signature(node: ast.FunctionDef) -> None:
    assert f"\n{hooks.signature(node)}\n" in TEXT


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", TEXT):
        assert (PAGE.parent / target).exists(), target


def test_ten_minutes_are_enough(tmp_path: Path) -> None:
    tools, site = tmp_path / "tools", tmp_path / "site"
    tools.mkdir()
    site.mkdir()
    (tools / "pip").write_text(PIP.format(python=sys.executable))
    (tools / "pip").chmod(0o755)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "IMSERVER"))},
        "PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(site),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    typed, run = commands()

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", typed],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    assert re.search(
        r"^spell_out +installed: imserver-spell-out 0.1.0 +\[plugins.spell_out\] +.*refine_message",
        done.stdout,
        re.MULTILINE,
    )

    folder = tmp_path / hooks.EXAMPLE
    with (folder / "imserver.toml").open("a") as config:
        config.write(LISTEN)
    with subprocess.Popen(
        ["bash", "-c", f"exec env {run}"], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        said = []
        for line in server.stderr:
            said.append(line)
            if "listening" in line:
                server.terminate()
    assert server.returncode == 0, "".join(said)
    assert any(re.match(r"hook  server_started +spell_out +[\d,]+ µs +– ", line) for line in said), "".join(
        said
    )
    assert "spelling out abbreviations" in "".join(said)
