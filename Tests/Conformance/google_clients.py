"""Google's official Python clients, connected to an emulator over REST or gRPC."""

import grpc
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials

LOCATION = "projects/p/locations/europe-west1"
TRANSPORTS = ["rest", "grpc"]


def client_of(kind, emulator, transport="rest"):
    """Returns a generated client of a class from `google.cloud`."""
    if transport == "grpc":
        return kind(transport=kind.get_transport_class("grpc")(channel=channel_of(emulator)))
    return kind(
        transport="rest", credentials=AnonymousCredentials(), client_options=ClientOptions(api_endpoint=emulator.url)
    )


def channel_of(emulator):
    """Returns a gRPC channel to an emulator, with a connection of its own."""
    return grpc.insecure_channel(emulator.url.removeprefix("http://"), [("grpc.use_local_subchannel_pool", 1)])


class ByStatus:
    """A generated client over REST that raises exceptions by the response's gRPC status.

    The REST transports of the clients derive exceptions from the HTTP status alone, which is the same for ABORTED and
    ALREADY_EXISTS; but the high-level client retries only ABORTED.
    """

    def __init__(self, client):
        self.client = client

    def __getattr__(self, name):
        attribute = getattr(self.client, name)
        if not callable(attribute):
            return attribute

        def call(*arguments, **options):
            try:
                return attribute(*arguments, **options)
            except exceptions.GoogleAPICallError as error:
                body = error.response.json()
                error = (body[0] if isinstance(body, list) else body)["error"]
                raise exceptions.from_grpc_status(grpc.StatusCode[error["status"]], error["message"]) from None

        return call
