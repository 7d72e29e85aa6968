# SPDX-License-Identifier: Apache-2.0
# schema.py SCHEMA FILE...: what a validator that is not airlock's says against each profile, one line each.
import json
import sys

import jsonschema
import yaml

schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for path in sys.argv[2:]:
    for error in validator.iter_errors(yaml.safe_load(open(path))):
        print(path, ".".join(str(step) for step in error.absolute_path), error.message)
