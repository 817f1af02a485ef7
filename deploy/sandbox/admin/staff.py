"""Staff at work in CRM+: contacts, tags, custom fields and projects as a test has people change them."""

from urllib.parse import unquote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deploy.sandbox.admin.handling import Body, Handle, answer, organization_named, route
from deploy.sandbox.crm.destination import Contact
from deploy.sandbox.crm.proving import records
from deploy.sandbox.crm.rendering import full_contact
from deploy.sandbox.crm.seeding import add_tag_definition
from deploy.sandbox.crm.staff import Staff
from deploy.sandbox.organization import Organization
from deploy.sandbox.world import World


class StaffDesk:
    """`/admin/organizations/{name}/contacts`, `/tags`, `/custom_fields` and `/funds`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        here = "/organizations/{name}"
        contact, field = f"{here}/contacts/{{id:int}}", f"{here}/custom_fields/{{resource}}/{{field}}"
        return [
            self._work("POST", f"{here}/contacts", self.create_contact),
            self._work("PATCH", contact, self.change_contact),
            self._work("POST", f"{contact}/archive", self.archive_contact),
            self._work("POST", f"{contact}/unarchive", self.unarchive_contact),
            self._work("POST", f"{contact}/merge", self.merge_contact),
            self._work("POST", f"{here}/tags", self.create_tag),
            self._work("DELETE", f"{here}/tags/{{id:int}}", self.delete_tag),
            self._work("PUT", field, self.define_custom_field),
            self._work("DELETE", field, self.remove_custom_field),
            self._work("POST", f"{here}/funds", self.create_fund),
            self._work("PATCH", f"{here}/funds/{{id:int}}", self.change_fund),
        ]

    def _work(self, method: str, path: str, handle: Handle) -> Route:
        """What staff have changed is in no entry of the journal: it is proven afterwards."""

        def proven(request: Request, body: Body) -> Response:
            try:
                return handle(request, body)
            finally:
                organization = self._organization(request)
                organization.proofs.renew(records(organization.destination))

        return route(method, path, proven)

    def create_contact(self, request: Request, body: Body) -> Response:
        return answer(full_contact(self._staff(request).create_contact(dict(body))), status=201)

    def change_contact(self, request: Request, body: Body) -> Response:
        contact = self._contact(request, request.path_params["id"])
        return answer(full_contact(self._staff(request).change_contact(contact, dict(body))))

    def archive_contact(self, request: Request, _body: Body) -> Response:
        return self._archived(request, archived=True)

    def unarchive_contact(self, request: Request, _body: Body) -> Response:
        return self._archived(request, archived=False)

    def merge_contact(self, request: Request, body: Body) -> Response:
        """Merges the contact in the path into that of the body, and gives the loser."""
        loser, winner = self._contact(request, request.path_params["id"]), self._contact(request, body["into"])
        moves = self._organization(request).settings.merge_moves_references
        return answer(full_contact(self._staff(request).merge_contacts(loser, winner, moves_references=moves)))

    def create_tag(self, request: Request, body: Body) -> Response:
        destination = self._organization(request).destination
        tag_id = add_tag_definition(destination, str(body["tagName"]))
        return answer({"id": tag_id, "tagName": destination.tags[tag_id]}, status=201)

    def delete_tag(self, request: Request, _body: Body) -> Response:
        self._staff(request).delete_tag(request.path_params["id"])
        return Response(status_code=204)

    def define_custom_field(self, request: Request, body: Body) -> Response:
        resource, name = _field(request)
        return answer(self._staff(request).define_custom_field(resource, name, dict(body)))

    def remove_custom_field(self, request: Request, _body: Body) -> Response:
        self._staff(request).remove_custom_field(*_field(request))
        return Response(status_code=204)

    def create_fund(self, request: Request, body: Body) -> Response:
        return answer(self._staff(request).put_project(None, dict(body)), status=201)

    def change_fund(self, request: Request, body: Body) -> Response:
        return answer(self._staff(request).put_project(request.path_params["id"], dict(body)))

    def _archived(self, request: Request, *, archived: bool) -> Response:
        contact = self._contact(request, request.path_params["id"])
        return answer(full_contact(self._staff(request).archive_contact(contact, archived=archived)))

    def _staff(self, request: Request) -> Staff:
        return Staff(self._organization(request).destination, self._world.clock.now())

    def _contact(self, request: Request, contact_id: int) -> Contact:
        contact = self._organization(request).destination.contacts.get(contact_id)
        if contact is None:
            raise HTTPException(404, f"no contact {contact_id!r}")
        return contact

    def _organization(self, request: Request) -> Organization:
        return organization_named(self._world, request.path_params["name"])


def _field(request: Request) -> tuple[str, str]:
    """Resource and name of the definition in the path."""
    return request.path_params["resource"], unquote(request.path_params["field"])
