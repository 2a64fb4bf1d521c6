"""A registration ends (OCPI 7.2.4): from then on nothing is called, and no call is accepted."""

from ocpi_bridge.domain.connections import left
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.credentials import Standing
from ocpi_bridge.usecases.commit_registration import CommitRegistration, Committed


@dataclass(frozen=True, slots=True)
class EndRegistration:
    """Ends the registration of a partner, whoever asks for it."""

    commit: CommitRegistration

    def __call__(self, standing: Standing) -> Committed:
        """The partner has left: without endpoints, tokens and secret. Its assignments stay for when it comes back.

        Its live sessions are looked at again, which clears the plans that it has at charge points. Raises Contended
        when somebody else changed the partner since; nothing has changed then.
        """
        return self.commit.without_secret(standing, left(standing.partner), ())
