from rest_framework.authentication import SessionAuthentication as BaseSessionAuthentication


class SessionAuthentication(BaseSessionAuthentication):
    """The browser session, for the pages' own calls; an unknown caller is told 401, not 403."""

    def authenticate_header(self, request: object) -> str:
        return "Session"
