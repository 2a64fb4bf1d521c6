"""Tokens that the bridge of a stack accepts, for whoever is to present them and nothing else."""

import base64

from ocpi_bridge.adapters.dynamodb import tables, token_items
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse, new_token, token_hash
from tests.support.e2e_site import site_name
from tools.counterparts.clock import utc_now
from tools.local_stack import LocalStack


def token_of_a_new_partner(stack: LocalStack, use: TokenUse) -> str:
    """A token of a partner that was not there before and has no other: calls with it touch nobody else."""
    client, table = stack.client("dynamodb"), stack.outputs["RegistryTableName"]
    token, now = new_token(), utc_now()
    partner = Partner(f"walker-{site_name()}", "Walker", Party("NL", "WLK"), ("localhost",))
    DynamoRegistry(client, table).add_partner(partner, [], now)
    accepted = AcceptedToken(token_hash(token), partner.partner_id, partner.party, now, use)
    client.put_item(TableName=table, Item=tables.to_item(token_items.token_item(accepted)))
    return token


def authorization(token: str) -> str:
    """The header that presents a token."""
    return "Token " + base64.b64encode(token.encode()).decode()
