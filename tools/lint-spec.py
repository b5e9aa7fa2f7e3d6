#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Checks the netlink spec: the kernel's schema, and a doc on every part.

usage: lint-spec.py SPEC SCHEMA    exit 1 and one line per finding

Owns what the code generator does not check: it renders a spec without any
documentation as happily as one whose attributes all tell meaning and unit.
"""

import sys

import jsonschema
import yaml


def load(path):
    with open(path, encoding="utf-8") as stream:
        return yaml.safe_load(stream)


def undocumented(spec):
    """Yields a name for each part of the spec that has no doc."""
    for definition in spec["definitions"]:
        if not definition.get("doc"):
            yield f"definition {definition['name']}"
        for entry in definition.get("entries", []):
            if not isinstance(entry, dict) or not entry.get("doc"):
                yield f"entry {entry} of {definition['name']}"
    for attributes in spec["attribute-sets"]:
        for attribute in attributes["attributes"]:
            if not attribute.get("doc"):
                yield f"attribute {attribute['name']}"
    for operation in spec["operations"]["list"]:
        if not operation.get("doc"):
            yield f"operation {operation['name']}"


def main():
    spec_path, schema_path = sys.argv[1:]
    spec, schema = load(spec_path), load(schema_path)
    validator = jsonschema.Draft7Validator(schema)
    findings = []
    for error in validator.iter_errors(spec):
        where = "/".join(str(step) for step in error.absolute_path)
        findings.append(f"{where}: {error.message}")
    findings += [f"{name}: no doc" for name in undocumented(spec)]
    for finding in findings:
        print(f"{spec_path}: {finding}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
