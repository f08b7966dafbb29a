"""GET /menu: the items that can be ordered, and their prices."""

from typing import Final

from fastapi import APIRouter, Response
from orderboard_contracts.menu import MENU

from order_api.responses import Menu

router = APIRouter(tags=["menu"])
_BODY: Final = Menu(items=tuple(MENU.values())).model_dump_json()


@router.get("/menu", response_model=Menu, summary="Show the menu")
async def menu() -> Response:
    """Return the menu with prices in cents."""
    return Response(_BODY, media_type="application/json")
