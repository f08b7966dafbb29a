"""The S3 bucket that CloudFormation takes the functions' zips from."""

import hashlib
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

from orderboard_stack.backend import DEFAULT_REGION
from orderboard_stack.clients import CLIENT_CONFIG


class CodeBucket:
    """The bucket `<prefix>-code-<account>` of one stack; its objects are named by their content."""

    def __init__(self, session: boto3.Session, endpoint_url: str | None, prefix: str) -> None:
        account_id = session.client("sts", endpoint_url=endpoint_url, config=CLIENT_CONFIG).get_caller_identity()[
            "Account"
        ]
        self.name = f"{prefix}-code-{account_id}"
        self._region = session.region_name or DEFAULT_REGION
        self._s3 = session.client("s3", endpoint_url=endpoint_url, config=CLIENT_CONFIG)

    def upload(self, zip_path: Path) -> str:
        """Create the bucket if needed, upload the zip unless it is there already, and return its key.

        The key follows from the bytes: CloudFormation changes a function only when the key changes.
        """
        key = self.key(zip_path)
        self._create()
        if not self._has(key):
            self._s3.put_object(Bucket=self.name, Key=key, Body=zip_path.read_bytes())
        return key

    def key(self, zip_path: Path) -> str:
        """Return the key of the zip, whether it is uploaded or not."""
        return f"{zip_path.stem}-{hashlib.sha256(zip_path.read_bytes()).hexdigest()[:32]}.zip"

    def delete(self) -> None:
        """Delete the bucket with its objects. It need not exist."""
        try:
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name):
                for stored in page.get("Contents", []):
                    self._s3.delete_object(Bucket=self.name, Key=stored["Key"])
            self._s3.delete_bucket(Bucket=self.name)
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "NoSuchBucket":
                raise

    def _has(self, key: str) -> bool:
        try:
            self._s3.head_object(Bucket=self.name, Key=key)
        except ClientError as exc:
            if exc.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
                return False
            raise
        return True

    def _create(self) -> None:
        try:
            # us-east-1 is the one region that must not be named.
            # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
            if self._region == "us-east-1":
                self._s3.create_bucket(Bucket=self.name)
            else:
                self._s3.create_bucket(
                    Bucket=self.name,
                    CreateBucketConfiguration={"LocationConstraint": self._region},  # type: ignore[typeddict-item]
                )
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
                raise
        self._s3.put_public_access_block(
            Bucket=self.name,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
        )
