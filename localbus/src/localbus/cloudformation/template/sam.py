"""The transform AWS::Serverless-2016-10-31 (SAM), by AWS's translator: the extra `sam` of this package.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-serverless.html
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from typing import Any

from localbus.cloudformation.template.template import SERVERLESS
from localbus.errors import AwsError

log = logging.getLogger("localbus")

_INSTALL = "It needs aws-sam-translator in the Python of localbus: pip install aws-sam-translator"


def expand(document: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the resources that SAM's stand for. `names` are the parameters' and pseudo parameters' values.

    Raises AwsError.
    """
    try:
        # Optional, and imported when needed: it takes half a second.
        from boto3.session import Session  # noqa: PLC0415 (the translator has it)
        from samtranslator.internal.managed_policies import get_bundled_managed_policy_map  # noqa: PLC0415
        from samtranslator.model.exceptions import InvalidDocumentException  # noqa: PLC0415
        from samtranslator.parser.parser import Parser  # noqa: PLC0415
        from samtranslator.translator.translator import Translator  # noqa: PLC0415
    except ImportError as exc:
        raise AwsError("NotImplemented", f"localbus cannot apply the transform {SERVERLESS}. {_INSTALL}") from exc
    session = Session(region_name=names["AWS::Region"])
    policies = get_bundled_managed_policy_map(names["AWS::Partition"]) or {}
    try:
        translated: dict[str, Any] = Translator(policies, Parser(), boto_session=session).translate(
            sam_template=copy.deepcopy(dict(document)), parameter_values=dict(names)
        )
    except InvalidDocumentException as exc:
        reasons = " ".join([exc.message, *(cause.message for cause in exc.causes)])
        raise AwsError("ValidationError", f"Transform {SERVERLESS} failed with: {reasons}") from exc
    except Exception as exc:  # the translator expects a template that is sound in form
        log.warning("transform.failed", exc_info=exc)
        text = "Invalid Serverless Application Specification document. The translator cannot read it."
        raise AwsError("ValidationError", f"Transform {SERVERLESS} failed with: {text}") from exc
    return translated
