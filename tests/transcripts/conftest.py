import pytest

from tests.stage import Stage
from tests.transcripts.twins import Calls


@pytest.fixture
def calls(stage: Stage) -> Calls:
    return Calls(stage)
