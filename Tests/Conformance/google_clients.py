"""Google's official Python clients, connected to an emulator over REST."""

import grpc
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials

LOCATION = "projects/p/locations/europe-west1"


def client_of(kind, emulator):
    """Returns a generated client of a class from `google.cloud`."""
    return kind(
        transport="rest", credentials=AnonymousCredentials(), client_options=ClientOptions(api_endpoint=emulator.url)
    )


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
