"""What Graph tells of the account: its numbers, its templates, its webhook, its token."""

from __future__ import annotations

from aiohttp import web

from contrib.whatsapp_simulator.courier import NotVerified
from contrib.whatsapp_simulator.errors import GraphError, invalid, no_such_object
from contrib.whatsapp_simulator.graph_access import account_in, chosen, graph, is_good_token, json_in
from contrib.whatsapp_simulator.graph_media import look_up
from contrib.whatsapp_simulator.settings import BusinessNumber
from contrib.whatsapp_simulator.shapes import JSON
from contrib.whatsapp_simulator.world import World

PERMISSIONS = ("whatsapp_business_management", "whatsapp_business_messaging")


@graph
async def look_at_object(world: World, request: web.Request) -> web.StreamResponse:
    """Show whatever has this id: a number, the account, a file."""
    wanted = request.match_info["id"]
    for number in world.account.numbers:
        if number.id == wanted:
            return web.json_response(chosen(request, _number(number), _number_more(number)))
    if wanted == world.account.id:
        account = {
            "id": wanted,
            "name": world.account.name,
            "timezone_id": "1",
            "message_template_namespace": "ns",
        }
        return web.json_response(chosen(request, account, {"account_review_status": "APPROVED"}))
    return await look_up(world, request)


@graph
async def list_numbers(world: World, request: web.Request) -> web.StreamResponse:
    """List the numbers of the account."""
    account_in(world, request)
    return web.json_response({"data": [_number(number) for number in world.account.numbers]})


@graph
async def list_templates(world: World, request: web.Request) -> web.StreamResponse:
    """List templates, a page at a time."""
    account_in(world, request)
    query = request.query
    found = [
        template
        for template in world.templates.all
        if query.get("name", template.name) == template.name
        and query.get("language", template.language) == template.language
        and query.get("status", template.status) == template.status
    ]
    limit, begin = _whole(query.get("limit", "25")), _whole(query.get("after", "0"), least=0)
    page = found[begin : begin + limit]
    end = begin + len(page)
    answer: JSON = {"data": [chosen(request, template.in_list()) for template in page]}
    if page:
        answer["paging"] = {"cursors": {"before": str(begin), "after": str(end)}}
        if end < len(found):
            following = request.rel_url.update_query({"after": str(end), "limit": str(limit)})
            answer["paging"]["next"] = f"{world.base_url}{following}"
    return web.json_response(answer)


@graph
async def list_subscribed_apps(world: World, request: web.Request) -> web.StreamResponse:
    """Say which app hears of this account, and at which webhook."""
    account_in(world, request)
    courier = world.courier
    if not courier.is_verified:
        return web.json_response({"data": []})
    app = {
        "whatsapp_business_api_data": {
            "id": world.account.app_id,
            "link": "https://example.com",
            "name": "imserver",
        }
    }
    return web.json_response({"data": [app | {"override_callback_uri": courier.url}]})


@graph
async def subscribe_app(world: World, request: web.Request) -> web.StreamResponse:
    """Verify a webhook, and tell it everything from now on."""
    account_in(world, request)
    body = await json_in(request) if request.can_read_body else {}
    url = str(body.get("override_callback_uri", "")) or world.courier.url
    if not url:
        raise invalid("There is no webhook: give override_callback_uri and verify_token")
    try:
        await world.courier.subscribe(url, body.get("verify_token"))
    except NotVerified as refusal:
        raise GraphError(
            2200, str(refusal), message=f"(#2200) Callback verification failed: {refusal}"
        ) from refusal
    return web.json_response({"success": True})


@graph
async def unsubscribe_app(world: World, request: web.Request) -> web.StreamResponse:
    """Tell the webhook nothing any more."""
    account_in(world, request)
    world.courier.unsubscribe()
    return web.json_response({"success": True})


@graph
async def list_subscriptions(world: World, request: web.Request) -> web.StreamResponse:
    """Say what the app hears of (`/{app}/subscriptions`)."""
    if request.match_info["id"] != world.account.app_id:
        raise no_such_object(request.match_info["id"], request.method)
    courier, version = world.courier, f"v{world.account.version}"
    fields = [
        {"name": name, "version": version}
        for name in ("messages", "message_template_status_update", "smb_message_echoes")
    ]
    one = {
        "object": "whatsapp_business_account",
        "callback_url": courier.url,
        "active": True,
        "fields": fields,
    }
    return web.json_response({"data": [one] if courier.is_verified else []})


@graph
async def debug_token(world: World, request: web.Request) -> web.StreamResponse:
    """Say what a token is good for."""
    if not is_good_token(world, request.query.get("input_token", "")):
        error = {"code": 190, "message": "Invalid OAuth access token."}
        return web.json_response({"data": {"is_valid": False, "scopes": [], "error": error}})
    ids = [world.account.id]
    return web.json_response(
        {
            "data": {
                "app_id": world.account.app_id,
                "type": "SYSTEM_USER",
                "application": "imserver",
                "data_access_expires_at": 0,
                "expires_at": 0,
                "is_valid": True,
                "scopes": list(PERMISSIONS),
                "granular_scopes": [{"scope": scope, "target_ids": ids} for scope in PERMISSIONS],
            }
        }
    )


def _number(number: BusinessNumber) -> JSON:
    return {
        "verified_name": number.name,
        "code_verification_status": "VERIFIED",
        "display_phone_number": f"+{number.display}",
        "quality_rating": "GREEN",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "HIGH" if number.throughput > 80 else "STANDARD"},
        "id": number.id,
    }


def _number_more(number: BusinessNumber) -> JSON:
    is_beside_app = number.throughput <= 20
    return {
        "status": "CONNECTED",
        "name_status": "APPROVED",
        "is_on_biz_app": is_beside_app,
        "account_mode": "LIVE",
    }


def _whole(text: str, *, least: int = 1) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise invalid(f"A whole number is needed, not {text!r}")
    return min(int(text), 1000)
