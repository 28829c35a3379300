"""moto's AWS, with what it lacks: the SAM transform, done by AWS's own translator, Lambda's account settings, and
outputs of stacks that were deployed by a change set.

Prints the port that it listens on. Ends when its standard input does.
"""

import json
import logging
import sys
import warnings
from io import BytesIO
from threading import Thread
from urllib.parse import parse_qsl, urlencode

from moto.cloudformation.models import CloudFormationBackend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from transform import expand

logging.getLogger("werkzeug").setLevel(logging.ERROR)
# It has no AWS::SQS::QueuePolicy, and says so for each.
logging.getLogger("moto").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", module="moto")
ACCOUNT_SETTINGS = {"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}}

execute_change_set = CloudFormationBackend.execute_change_set


def execute_and_describe(self, change_set_name, stack_name=None):
    execute_change_set(self, change_set_name, stack_name)
    change_set = self.describe_change_set(change_set_name)
    stack = self.stacks[change_set.stack_id]
    stack.parameters = change_set.parameters
    stack._parse_template()
    stack.output_map = stack._create_output_map()


CloudFormationBackend.execute_change_set = execute_and_describe


def with_what_is_missing(app):
    def call(environ, start_response):
        if environ["PATH_INFO"].rstrip("/").endswith("/account-settings"):
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(ACCOUNT_SETTINGS).encode()]
        if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            size = int(environ.get("CONTENT_LENGTH") or 0)
            fields = dict(parse_qsl(environ["wsgi.input"].read(size).decode(), keep_blank_values=True))
            if "TemplateBody" in fields:
                fields["TemplateBody"] = json.dumps(expand(fields["TemplateBody"]))
            body = urlencode(fields).encode()
            environ = {**environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return app(environ, start_response)

    return call


moto = DomainDispatcherApplication(create_backend_app)
server = make_server("127.0.0.1", 0, with_what_is_missing(moto), threaded=True)
Thread(target=server.serve_forever, daemon=True).start()
print(server.port, flush=True)
sys.stdin.read()
