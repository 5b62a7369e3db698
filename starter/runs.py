"""Where the run that bought an answer is seen: its page in Temporal's Web UI."""

from urllib.parse import quote

from temporalio.envconfig import ClientConfig

from schemas.explanations import Call
from schemas.settings import Settings
from starter.environment import environment

DEFAULT_NAMESPACE = "default"


class RunPages:
    def __init__(self, settings: Settings, namespace: str) -> None:
        self._workflows = f"{settings.temporal_ui_url.rstrip('/')}/namespaces/{quote(namespace, safe='')}/workflows"

    def of(self, call: Call) -> str:
        """The newest run of its workflow when the run itself was not written down; empty without either."""
        if not call.workflow_id:
            return ""
        run = f"/{quote(call.run_id, safe='')}/history" if call.run_id else ""
        return f"{self._workflows}/{quote(call.workflow_id, safe='')}{run}"


def namespace() -> str:
    """The one that our clients speak to."""
    config = ClientConfig.load_client_connect_config(override_env_vars=dict(environment()))
    return config.get("namespace") or DEFAULT_NAMESPACE
