"""The transforms of a template: AWS::Include, AWS::LanguageExtensions and AWS::Serverless-2016-10-31.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localbus.cloudformation.template import language_extensions, sam, template
from localbus.cloudformation.template.intrinsic_functions import Functions
from localbus.cloudformation.template.parser import read
from localbus.cloudformation.template.source import Fetch, from_s3
from localbus.errors import AwsError
from localbus.protocol.service import Caller

_INLINE = "Fn::Transform"


async def process(
    document: Mapping[str, Any], functions: Functions, fetch: Fetch | None, caller: Caller
) -> dict[str, Any]:
    """The document after its transforms, in their order. Raises AwsError.

    `functions` resolve the document's parameters.
    """
    includes = _Includes(functions, fetch, caller)
    found: dict[str, Any] = await includes.included(document)
    found.pop("Transform", None)
    for name, parameters in template.transforms_of(document):
        match name:
            case template.INCLUDE:
                found = await includes.snippet(parameters) | found
            case template.EXTENSIONS:
                found = language_extensions.expand(found, functions)
            case template.SERVERLESS:
                found = sam.expand(found, functions.names)
    return found


class _Includes:
    """Snippets of templates in S3."""

    def __init__(self, functions: Functions, fetch: Fetch | None, caller: Caller) -> None:
        self._functions = functions
        self._fetch = fetch
        self._caller = caller

    async def included(self, value: Any) -> Any:
        """A value with each Fn::Transform replaced by its snippet."""
        if isinstance(value, list):
            return [await self.included(item) for item in value]
        if not isinstance(value, dict):
            return value
        found = {key: await self.included(item) for key, item in value.items() if key != _INLINE}
        if _INLINE in value:
            for one in value[_INLINE] if isinstance(value[_INLINE], list) else [value[_INLINE]]:
                name = one.get("Name") if isinstance(one, dict) else one
                if name != template.INCLUDE:
                    if not isinstance(name, str):
                        raise AwsError("ValidationError", "Key Name of transform definition must be a string.")
                    raise AwsError("NotImplemented", f"localbus does not implement the macro {name}.")
                found = await self.snippet(one.get("Parameters")) | found
        return found

    async def snippet(self, parameters: Any) -> dict[str, Any]:
        """The content of the file at a Location."""
        location = self._functions.resolve(parameters.get("Location")) if isinstance(parameters, dict) else None
        if not isinstance(location, str) or not location.startswith("s3://"):
            text = f"Transform {template.INCLUDE} failed with: The location parameter is not a valid S3 uri."
            raise AwsError("ValidationError", text)
        url = f"https://s3.{self._caller.region}.amazonaws.com/{location.removeprefix('s3://')}"
        return read(await from_s3(self._fetch, url, self._caller))
