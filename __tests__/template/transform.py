"""Expands template.yaml with AWS's own SAM translator: reads the template on standard input, prints it as JSON."""

import json
import os
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")

from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402


class NoManagedPolicies:
    """The template names no managed policies, so none has to be looked up."""

    def load(self):
        return {}


def expand(template):
    return transform(yaml_parse(template), {}, NoManagedPolicies())


if __name__ == "__main__":
    json.dump(expand(sys.stdin.read()), sys.stdout)
