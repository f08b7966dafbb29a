"""The API's settings. The AWS SDK reads endpoint, region and credentials itself."""

import ipaddress
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings from the environment: ORDERBOARD_ and the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix="ORDERBOARD_", frozen=True, extra="ignore")

    orders_topic_arn: str = Field(min_length=1)
    bus_name: str = Field(min_length=1)
    orders_table: str = Field(min_length=1)

    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8000, ge=0, le=65535, description="0 picks a free port and logs it.")
    api_token: SecretStr | None = None
    allow_anonymous: bool = False
    allow_faults: bool = False

    api_max_body_bytes: int = Field(default=64 * 1024, ge=1024)
    api_body_deadline_s: float = Field(default=10.0, gt=0, description="Time for a client to send its body.")
    api_publish_deadline_s: float = Field(default=5.0, gt=0, description="SNS and EventBridge together.")
    api_publish_linger_ms: float = Field(default=40.0, ge=0, le=100, description="Least time between calls not full.")
    api_publish_slots: int = Field(default=4, ge=1, le=64, description="Concurrent calls to each of the two.")
    api_publish_max_waiting: int = Field(default=2000, ge=1, description="Orders waiting for a call; one more is 503.")
    api_lookup_deadline_s: float = Field(default=2.0, gt=0)
    api_remembered_keys: int = Field(default=50_000, ge=1)

    @field_validator("api_token", mode="after")
    @classmethod
    def _empty_is_none(cls, token: SecretStr | None) -> SecretStr | None:
        return token if token is not None and token.get_secret_value() else None

    @model_validator(mode="after")
    def _token_unless_loopback(self) -> Self:
        if not (is_loopback(self.api_host) or self.api_token is not None or self.allow_anonymous):
            raise ValueError(
                f"{self.api_host!r} can be reached from other machines without authentication. Set "
                "ORDERBOARD_API_TOKEN, or ORDERBOARD_ALLOW_ANONYMOUS=true if everybody may order, or use 127.0.0.1"
            )
        return self


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach host. Names other than localhost may resolve to any address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
