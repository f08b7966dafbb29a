"""boto3 clients for a backend: one configuration, and one session for all local backends of a region.

Apart from `backend`, because importing boto3 takes as long as starting a backend.
"""

from functools import cache
from typing import Final

import boto3
import botocore.session
from botocore.config import Config

CLIENT_CONFIG: Final = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "max_attempts": 4},
    s3={"addressing_style": "path"},  # S3's virtual host names do not resolve on local endpoints
    user_agent_extra="orderboard",
)


@cache
def local_session(region: str) -> boto3.Session:
    """A session with credentials that every local backend accepts."""
    # The profile and the proxies that the user's shell names are not for a local backend.
    core = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    core.set_default_client_config(Config(proxies={}))
    return boto3.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
        region_name=region,
        botocore_session=core,
    )
