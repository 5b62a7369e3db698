import pytest

from tests.notices.post import Post
from tests.stage import Stage


@pytest.fixture
def post(stage: Stage) -> Post:
    return Post(stage)
