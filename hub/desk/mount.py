"""Where every screen of the desk is found, and what the web application must hold for them."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from hub.composition import HUB
from hub.desk import (
    alerts,
    answering,
    board,
    by_hand,
    canned,
    clients,
    conversation,
    door,
    events,
    explaining,
    files,
    handling,
    lines,
    merging,
    own,
    people,
    quarantine,
    recordings,
    regulations,
    rehearsing,
    report,
    searching,
    sending,
    tasks,
    unsubscribing,
    uploads,
    waiting,
    wishes,
)
from hub.desk.gate import for_anyone, inside, let_in, outside
from hub.desk.pages import PAGES, Pages
from hub.desk.phone import handlers as call_handlers
from hub.desk.phone import own as phone
from hub.desk.phone.live_calls import LIVE_CALLS, LiveCalls
from hub.desk.phone.pops import POPS, Pops
from hub.desk.read_marks import MARKS, ReadMarks
from hub.desk.shield import missing, shield
from hub.desk.static_files import STATIC, StaticFiles, serve_static

_NUMBER = "{id:[0-9]+}"
_TALK = f"/desk/conversations/{_NUMBER}"
_CLIENT = f"/desk/clients/{_NUMBER}"
_TASK = f"/desk/tasks/{_NUMBER}"
_PROMISE = f"/desk/obligations/{_NUMBER}"
_CALL = f"/desk/calls/{_NUMBER}"

_PAGES: tuple[tuple[str, Any], ...] = (
    ("/", waiting.go_home),
    ("/desk", waiting.show_waiting),
    ("/desk/search", searching.show_found),
    (_TALK, conversation.show_conversation),
    (f"/desk/interactions/{_NUMBER}/full", files.show_full),
    (f"/desk/interactions/{_NUMBER}/html", files.show_html),
    (f"/desk/interactions/{_NUMBER}/forward", answering.show_forward),
    (f"/desk/interactions/{_NUMBER}/recordings/{{part:[0-9]{{1,3}}}}", recordings.play_recording),
    (f"/desk/interactions/{_NUMBER}/voicemail", recordings.play_voicemail),
    (f"/desk/files/{_NUMBER}", files.download),
    ("/desk/clients", clients.show_clients),
    ("/desk/clients/new", clients.show_card_form),
    (_CLIENT, clients.show_client),
    (f"{_CLIENT}/edit", clients.show_card_form),
    (f"{_CLIENT}/merge", merging.show_merge),
    ("/desk/tasks", tasks.show_tasks),
    ("/desk/tasks/new", tasks.show_task),
    (_TASK, tasks.show_task),
    (f"{_PROMISE}/why", explaining.show_why),
    ("/desk/quarantine", quarantine.show_quarantine),
    ("/desk/alerts", alerts.show_alerts),
    ("/desk/frame", alerts.show_bell),
    ("/desk/lines", lines.show_lines),
    ("/desk/templates", canned.show_templates),
    ("/desk/templates/new", canned.show_template_form),
    ("/desk/templates/{key}/edit", canned.show_template_form),
    (f"{_TALK}/templates/{{key}}", canned.fill_in),
    (f"{_CLIENT}/wishes", wishes.show_wishes),
    ("/desk/write", answering.show_first_letter),
    ("/desk/log", by_hand.show_log),
    ("/desk/people", people.show_people),
    ("/desk/rehearsal", rehearsing.show_rehearsal),
    ("/desk/regulations", regulations.show_regulations),
    ("/desk/board", board.show_board),
    ("/desk/report", report.show_report),
    ("/desk/report.csv", report.download_report),
    ("/desk/settings", own.show_own),
    ("/desk/phone", phone.show_phone),
    (f"{_CALL}/transfer", call_handlers.show_transfer),
    (f"{_CALL}/whose", call_handlers.show_whose),
    ("/desk/events", events.stream_events),
)

_ACTS: tuple[tuple[str, Any], ...] = (
    ("/sign-out", door.sign_out),
    (f"{_TALK}/take", handling.take),
    (f"{_TALK}/hand-over", handling.hand_over),
    (f"{_TALK}/close", handling.close),
    (f"{_TALK}/reopen", handling.reopen),
    (f"{_TALK}/postpone", handling.postpone),
    (f"{_TALK}/wait", handling.wait),
    (f"{_TALK}/choose-client", handling.choose_client),
    (f"{_TALK}/reply", answering.reply),
    (f"{_TALK}/note", answering.note),
    (f"{_TALK}/draft", answering.save_draft),
    (f"/desk/interactions/{_NUMBER}/forward", answering.forward),
    (f"/desk/deliveries/{_NUMBER}/retry", sending.retry),
    ("/desk/attachments", uploads.upload),
    ("/desk/measure", canned.tell_cost),
    ("/desk/templates/new", canned.save_template),
    ("/desk/templates/{key}/edit", canned.save_template),
    ("/desk/templates/{key}/remove", canned.remove_template),
    (f"{_CLIENT}/wishes", wishes.note_wish),
    ("/desk/write", answering.write_first),
    ("/desk/log", by_hand.write_log),
    ("/desk/clients/new", clients.make_client),
    (f"{_CLIENT}/edit", clients.save_card),
    (f"{_CLIENT}/identities", clients.add_identity),
    (f"{_CLIENT}/identities/{{identity:[0-9]+}}/remove", clients.remove_identity),
    (f"{_CLIENT}/merge", merging.merge),
    (f"/desk/merges/{_NUMBER}/undo", merging.undo_merge),
    ("/desk/tasks/new", tasks.make_task),
    (_TASK, tasks.save_task),
    (f"{_TASK}/done", tasks.close_task),
    (f"{_TASK}/reopen", tasks.reopen_task),
    (f"{_PROMISE}/pin", explaining.pin),
    (f"{_PROMISE}/excuse", explaining.excuse),
    (f"/desk/quarantine/{_NUMBER}", quarantine.settle),
    (f"/desk/alerts/{_NUMBER}/acknowledge", alerts.acknowledge),
    ("/desk/people/{key}/invite", people.invite),
    ("/desk/people/{key}/disable", people.disable),
    ("/desk/people/{key}/enable", people.enable),
    ("/desk/hand-over", people.hand_over),
    ("/desk/rehearsal", rehearsing.start_rehearsal),
    ("/desk/settings", own.save_own),
    ("/desk/settings/calendar", own.renew_calendar),
    ("/desk/settings/presence", own.say_presence),
    ("/desk/settings/password", own.change_password),
    ("/desk/settings/sessions/end", own.end_session),
    (f"{_CALL}/note", call_handlers.save_note),
    (f"{_CALL}/finish", call_handlers.finish),
    (f"{_CALL}/client", call_handlers.choose_client),
    (f"{_CALL}/name", call_handlers.name_client),
    (f"{_CALL}/hang-up", call_handlers.hang_up),
    (f"{_CALL}/transfer", call_handlers.transfer),
    (f"{_CALL}/take-back", call_handlers.take_back),
    (f"{_CALL}/recording", call_handlers.pause_recording),
    ("/desk/phone/call", phone.call),
    ("/desk/phone/pause", phone.pause),
    ("/desk/phone/unpause", phone.unpause),
    ("/desk/phone/ready", phone.end_wrap_up),
    ("/desk/phone/log-in", phone.log_in),
    ("/desk/phone/log-out", phone.log_out),
)

_DOOR: tuple[tuple[str, Any, Any], ...] = (
    ("/sign-in", door.show_sign_in, door.sign_in),
    ("/invitation/{secret}", door.show_new_password, door.set_new_password),
    ("/password/forgotten", door.show_forgotten, door.send_reset),
    ("/password/{secret}", door.show_new_password, door.set_new_password),
)


def routes() -> list[web.RouteDef]:
    """All addresses of the desk."""
    found = [web.get("/desk/static/{digest}/{name:.+}", serve_static)]
    found += [web.get(path, inside(handler)) for path, handler in _PAGES]
    found += [web.post(path, inside(handler)) for path, handler in _ACTS]
    for path, look, go in _DOOR:
        found += [web.get(path, outside(look)), web.post(path, outside(go))]
    found.append(web.get("/sign-in/once/{secret}", outside(door.sign_in_once)))
    mailing = "/unsubscribe/{reference}/{signature}"
    found += [web.get(mailing, for_anyone(unsubscribing.show)), web.post(mailing, for_anyone(unsubscribing.stop))]
    return found


def middlewares() -> list[Middleware]:
    """What must stand around the routes."""
    return [_answer_strays]


def setup_desk(app: web.Application) -> None:
    """Read templates, catalogs and static files, and see to it that live streams end when the server stops."""
    app[PAGES] = Pages.load()
    app[STATIC] = StaticFiles.load()
    app[door.BOLTS] = door.Bolts()
    app[events.ENDING] = asyncio.Event()
    app[LIVE_CALLS] = LiveCalls(app[HUB])
    app[POPS] = Pops(app[HUB])
    app[rehearsing.RUNS] = rehearsing.Runs()
    app[MARKS] = ReadMarks(app[HUB].listeners.channel_of)
    app.on_cleanup.append(app[MARKS].close)
    app.on_shutdown.append(events.end_streams)


@web.middleware
async def _answer_strays(request: web.Request, handler: Handler) -> web.StreamResponse:
    """An address under /desk that nothing is at still gets a page in the visitor's language."""
    try:
        return await handler(request)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        if not request.path.startswith("/desk") or request.path.startswith("/desk/static/"):
            raise
        await let_in(request)
        response = missing(request)
        shield(response)
        return response
