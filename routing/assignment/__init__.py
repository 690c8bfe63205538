"""Who gets a touch: the first route that fits names a team and how one of it is chosen.

routes = compile_routes(book)                         once per set-up
assign(routes, facts, desk)                           -> AssignConversation | None, pure
give / pass_on / drain (routing.assignment.giving)    the same with the store
"""

from routing.assignment.choosing import Desk, assign, choose
from routing.assignment.route import Route, RouteSettings, compile_route, compile_routes

__all__ = ["Desk", "Route", "RouteSettings", "assign", "choose", "compile_route", "compile_routes"]
