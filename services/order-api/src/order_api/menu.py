"""GET /menu: what can be ordered, and for how much."""

from typing import Final

from fastapi import APIRouter, Response
from orderboard_contracts.menu import MENU

from order_api.answers import Menu

router = APIRouter(tags=["menu"])
_BODY: Final = Menu(items=tuple(MENU.values())).model_dump_json()


@router.get("/menu", response_model=Menu, summary="What can be ordered")
async def menu() -> Response:
    """The menu with prices in cents."""
    return Response(_BODY, media_type="application/json")
