"""The notifier's settings, read from its environment before the first message."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class SettingsError(ValueError):
    """Variables are missing or invalid; the message names them. The function must be deployed again."""


class Settings(BaseModel):
    """Settings of the function. The AWS SDK reads endpoint, region and credentials itself."""

    model_config = ConfigDict(frozen=True)

    alerts_topic_arn: str = Field(alias="ORDERBOARD_ALERTS_TOPIC_ARN", pattern=r"^arn:[^:]+:sns:")
    idempotency_table: str = Field(alias="ORDERBOARD_NOTIFIER_IDEMPOTENCY_TABLE", min_length=3)
    service: str = Field(default="notifier", alias="POWERTOOLS_SERVICE_NAME")
    metrics_namespace: str = Field(default="OrderBoard", alias="POWERTOOLS_METRICS_NAMESPACE")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings; raise SettingsError, which names every missing or invalid variable."""
        try:
            return cls.model_validate(dict(environ))
        except ValidationError as exc:
            wrong = "; ".join(f"{error['loc'][0]}: {error['msg']}" for error in exc.errors(include_url=False))
            raise SettingsError(wrong) from exc
