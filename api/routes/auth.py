"""Signing in for scripts. Browsers sign in on the page, with a cookie."""

from fastapi import APIRouter, Request, Response

from api.accounts import grant_token
from api.deps import DatabaseDep, PersonDep, Public, ReadDep, SessionsDep
from api.hashing import in_hashing
from infra.access_tokens import revoke_token, tokens_of
from infra.sessions import TOKEN
from schemas.forms import TokenRequest
from schemas.tables.people import User
from schemas.token_forms import NewToken, NewTokenForm, TokensView

router = APIRouter(prefix="/api/v1", tags=["sign-in"])


def client_address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


@router.post("/auth/token", dependencies=[Public])
async def create_token(body: TokenRequest, request: Request, sessions: SessionsDep) -> dict[str, str]:
    """A bearer token for ``Authorization: Bearer …``. It ends after the session's life, or with DELETE."""
    password = body.password.get_secret_value()
    signed_in = await in_hashing(sessions.sign_in, body.email, password, TOKEN, client_address(request))
    return {"token": signed_in.token}


@router.delete("/auth/token", status_code=204)
def end_token(person: PersonDep, sessions: SessionsDep) -> Response:
    sessions.end(person)
    return Response(status_code=204)


@router.get("/auth/tokens")
def list_tokens(person: PersonDep, session: ReadDep) -> TokensView:
    """One's own access tokens that still open something."""
    return TokensView(items=list(tokens_of(session, person)))


@router.post("/auth/tokens", status_code=201)
async def add_token(body: NewTokenForm, person: PersonDep, sessions: SessionsDep, database: DatabaseDep) -> NewToken:
    """Makes an access token for a program: for what ``scopes`` name, for at most ninety days. It is shown this once."""
    return await in_hashing(grant_token, database, sessions, person, body)


@router.delete("/auth/tokens/{token_id}", status_code=204)
def end_access_token(token_id: str, person: PersonDep, database: DatabaseDep) -> Response:
    """Revokes one's own access token. What is under way with it stops within five seconds."""
    with database.write() as session:
        revoke_token(session, person, token_id)
    return Response(status_code=204)


@router.get("/me")
def read_me(person: PersonDep, session: ReadDep) -> dict[str, object]:
    """Who the token belongs to, and in which organizations with which role."""
    user = session.get_one(User, person.user_id)
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "memberships": [
            {
                "organization_id": member.organization_id,
                "kind": member.kind,
                "role": member.role,
                "owner": member.is_owner,
                "approver": member.is_approver,
            }
            for member in person.members
        ],
    }
