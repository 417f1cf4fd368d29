"""Print pins of the lowest versions that setup.cfg allows, as a constraints file for pip."""

import configparser
import re
from pathlib import Path

SETUP = configparser.ConfigParser()
SETUP.read_string((Path(__file__).parents[1] / "setup.cfg").read_text("utf-8"))

EXTRAS = SETUP["options.extras_require"]

needed = SETUP["options"]["install_requires"] + EXTRAS["postgresql"] + EXTRAS["oidc"]
for line in needed.split("\n"):
    if requirement := re.match(r"([\w-]+)(?:\[\w+\])? >=([\d.]+)", line):
        print(f"{requirement[1]}=={requirement[2]}")
