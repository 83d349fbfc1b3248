"""The access tokens of a person in words."""

from collections.abc import Sequence
from typing import Final

from schemas.token_forms import Scope, TokenView
from schemas.translation import N_
from ui.assemble.looker import Looker
from ui.views import FormState, Option, TokenRow, TokensView

SCOPE_WORDS: Final[dict[Scope, str]] = {
    Scope.IMAGES_READ: N_("Read images"),
    Scope.IMAGES_WRITE: N_("Send images to a case"),
    Scope.UPLOADS: N_("Upload files"),
    Scope.ALL: N_("Everything that you may do"),
}
_LIVES: Final = ((7, N_("7 days")), (30, N_("30 days")), (90, N_("90 days")))


def tokens_view(tokens: Sequence[TokenView], looker: Looker, form: FormState, made: str = "") -> TokensView:
    return TokensView(
        rows=tuple(
            TokenRow(
                label=token.label,
                opens=tuple(looker.say(SCOPE_WORDS[scope]) for scope in token.scopes),
                expires=token.expires_at,
                seen=token.last_seen_at if token.last_seen_at > token.created_at else None,
                end_url=f"/account/tokens/{token.id}/revoke",
            )
            for token in tokens
        ),
        scopes=tuple(Option(value=scope, word=looker.say(word)) for scope, word in SCOPE_WORDS.items()),
        lives=tuple(Option(value=str(days), word=looker.say(word)) for days, word in _LIVES),
        form=form,
        made=made,
    )
