"""The one workflow runner that worker, tests and replay share."""

from typing import Final

from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

_PASSED_THROUGH: Final = ("schemas", "infra", "pydantic", "pydantic_core", "sqlmodel", "sqlalchemy", "cryptography")
"""Pure rules and their libraries are loaded once. Workflows themselves never are: the sandbox checks them."""


def sandboxed() -> WorkflowRunner:
    """For tests and replay: what is not deterministic fails there."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*_PASSED_THROUGH, "workflows.keyring")
    return SandboxedWorkflowRunner(restrictions=restrictions)


def unsandboxed() -> WorkflowRunner:
    """For the worker: the same workflows have passed the sandbox in the tests, and it costs 4 ms a case."""
    return UnsandboxedWorkflowRunner()
