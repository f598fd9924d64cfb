"""OIDC tokens: the emulator's, verified by Google's own library, and PyJWT's, verified by ours."""

import base64
import hashlib
import hmac
import json
import stat
import subprocess
import time
import urllib.request

import google.auth.transport.requests
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from google.cloud import scheduler_v1, tasks_v2
from google.oauth2 import id_token

from emulator_process import Emulator
from google_clients import LOCATION, client_of
from local_service import Recorder

ACCOUNT = "tasks@project.iam.gserviceaccount.com"
AUDIENCE = "https://worker-abc.a.run.app"


def delivered_token(tasks, queue, recorder, **oidc):
    request = tasks_v2.HttpRequest(
        url=recorder.url + "/run?x=1", headers={"Authorization": "Bearer of-the-caller"}, **oidc
    )
    tasks.create_task(parent=queue, task=tasks_v2.Task(http_request=request))
    return recorder.wait_for(1)[0]["headers"]["authorization"].removeprefix("Bearer ")


def test_googles_library_verifies_a_delivered_token(tasks, emulator, recorder, make_queue):
    token = delivered_token(
        tasks,
        make_queue().name,
        recorder,
        oidc_token=tasks_v2.OidcToken(service_account_email=ACCOUNT, audience=AUDIENCE),
    )
    request = google.auth.transport.requests.Request()
    certs_url = emulator.url + "/oauth2/v3/certs"
    claims = id_token.verify_token(token, request, audience=AUDIENCE, certs_url=certs_url)
    assert claims["iss"] == emulator.url
    assert (claims["email"], claims["email_verified"], claims["aud"]) == (ACCOUNT, True, AUDIENCE)
    assert claims["exp"] - claims["iat"] == 3600
    assert abs(claims["iat"] - time.time()) < 60
    assert claims["sub"] == claims["azp"]
    assert claims["sub"].isdigit() and len(claims["sub"]) == 21
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["typ"]) == ("RS256", "JWT")
    with pytest.raises(jwt.InvalidAudienceError):
        id_token.verify_token(token, request, audience="https://other.example", certs_url=certs_url)
    with pytest.raises(jwt.InvalidSignatureError):
        id_token.verify_token(token[:-8] + "AAAAAAAA", request, audience=AUDIENCE, certs_url=certs_url)


def test_the_audience_is_the_target_where_none_is_given(tasks, emulator, recorder, make_queue):
    token = delivered_token(
        tasks, make_queue().name, recorder, oidc_token=tasks_v2.OidcToken(service_account_email=ACCOUNT)
    )
    key = jwt.PyJWKClient(emulator.url + "/oauth2/v3/certs").get_signing_key_from_jwt(token).key
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=recorder.url + "/run?x=1")
    assert claims["email"] == ACCOUNT


def test_an_oauth_token_is_opaque(tasks, recorder, make_queue):
    token = delivered_token(
        tasks, make_queue().name, recorder, oauth_token=tasks_v2.OAuthToken(service_account_email=ACCOUNT)
    )
    assert token.startswith("ya29.") and "." not in token[5:]


def test_the_scheduler_sends_tokens_too(scheduler, emulator, recorder):
    job = scheduler_v1.Job(
        name=f"{LOCATION}/jobs/with-token",
        schedule="0 0 1 1 *",
        http_target=scheduler_v1.HttpTarget(
            uri=recorder.url, oidc_token=scheduler_v1.OidcToken(service_account_email=ACCOUNT, audience=AUDIENCE)
        ),
    )
    scheduler.create_job(parent=LOCATION, job=job)
    scheduler.run_job(name=job.name)
    token = recorder.wait_for(1)[0]["headers"]["authorization"].removeprefix("Bearer ")
    request = google.auth.transport.requests.Request()
    claims = id_token.verify_token(token, request, audience=AUDIENCE, certs_url=emulator.url + "/oauth2/v3/certs")
    assert claims["email"] == ACCOUNT


def test_the_discovery_document_leads_to_the_keys(emulator):
    status, document = emulator.call("GET", "/.well-known/openid-configuration")
    assert status == 200
    assert document["issuer"] == emulator.url
    status, keys = emulator.call("GET", document["jwks_uri"].removeprefix(emulator.url))
    assert status == 200
    assert [key["alg"] for key in keys["keys"]] == ["RS256"]
    assert emulator.call("GET", "/oauth2/v3/other")[0] == 404


def cache_control(emulator, path):
    with urllib.request.urlopen(emulator.url + path, timeout=30) as response:
        return response.headers["Cache-Control"]


def test_the_documents_say_how_long_they_may_be_kept(emulator):
    for path in ("/oauth2/v3/certs", "/.well-known/openid-configuration"):
        assert cache_control(emulator, path) == "public, max-age=60, must-revalidate"
    with urllib.request.urlopen(emulator.url, timeout=30) as response:
        assert response.headers["Cache-Control"] is None


def test_a_folder_keeps_the_key_over_a_crash(cloud_jobs, tmp_path, recorder):
    folder = tmp_path / "data"
    first = Emulator(cloud_jobs, "--data", str(folder))
    try:
        assert cache_control(first, "/oauth2/v3/certs") == "public, max-age=3600, must-revalidate"
        keys = first.call("GET", "/oauth2/v3/certs")[1]
        issuer = first.url
    finally:
        first.kill()
    file = folder / "signing-key.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert serialization.load_pem_private_key(file.read_bytes(), None).key_size == 2048
    second = Emulator(cloud_jobs, "--data", str(folder), "--issuer", issuer)
    try:
        assert second.call("GET", "/oauth2/v3/certs")[1] == keys
        tasks = client_of(tasks_v2.CloudTasksClient, second)
        queue = f"{LOCATION}/queues/q"
        tasks.create_queue(parent=LOCATION, queue=tasks_v2.Queue(name=queue))
        token = delivered_token(
            tasks, queue, recorder, oidc_token=tasks_v2.OidcToken(service_account_email=ACCOUNT, audience=AUDIENCE)
        )
    finally:
        second.kill()
    # A verifier that fetched the keys before the crash accepts a token that was signed after it.
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]].key
    assert jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE)["iss"] == issuer


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----\n"])
def test_a_damaged_key_is_refused(cloud_jobs, tmp_path, damage):
    folder = tmp_path / "data"
    Emulator(cloud_jobs, "--data", str(folder)).kill()
    (folder / "signing-key.pem").write_bytes(damage)
    command = [cloud_jobs, "emulator", "--port", "0", "--data", str(folder)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert answer.returncode != 0
    assert "signing-key.pem is not an RSA private key" in answer.stderr and "remove the file" in answer.stderr
    assert (folder / "signing-key.pem").read_bytes() == damage


def test_the_issuer_can_be_googles_name(cloud_jobs):
    emulator = Emulator(cloud_jobs, "--issuer", "https://accounts.google.com")
    recorder = Recorder()
    try:
        tasks = client_of(tasks_v2.CloudTasksClient, emulator)
        queue = f"{LOCATION}/queues/q"
        tasks.create_queue(parent=LOCATION, queue=tasks_v2.Queue(name=queue))
        token = delivered_token(
            tasks, queue, recorder, oidc_token=tasks_v2.OidcToken(service_account_email=ACCOUNT, audience=AUDIENCE)
        )
        request = google.auth.transport.requests.Request()
        claims = id_token.verify_token(token, request, audience=AUDIENCE, certs_url=emulator.url + "/oauth2/v3/certs")
        assert claims["iss"] == "https://accounts.google.com"
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(token, rsa_key().public_key(), algorithms=["RS256"], audience=AUDIENCE)
    finally:
        recorder.close()
        emulator.stop()


def rsa_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class TokenCLI:
    """A process `token-cli`: a token in, the result of our verifier out."""

    def __init__(self, tool):
        self.process = subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.key = rsa_key()
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        self.jwks = json.dumps({"keys": [{**public, "kid": "k", "alg": "RS256", "use": "sig"}]})

    def ask(self, token, **changes):
        question = {
            "token": token,
            "now": int(time.time()),
            "audience": AUDIENCE,
            "account": ACCOUNT,
            "jwks": self.jwks,
            **changes,
        }
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n").split("\t")


@pytest.fixture(scope="module")
def token_cli(bin_dir):
    tool = bin_dir / "token-cli"
    assert tool.is_file(), f"{tool} is missing: run `make conformance`, which builds it."
    token_cli = TokenCLI(tool)
    yield token_cli
    token_cli.process.stdin.close()
    assert token_cli.process.wait(timeout=15) == 0


def claims(**changes):
    now = int(time.time())
    members = {
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "sub": "1",
        "email": ACCOUNT,
        "email_verified": True,
        "iat": now,
        "exp": now + 3600,
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}


def encode(payload, key, algorithm="RS256", **headers):
    return jwt.encode(payload, key, algorithm=algorithm, headers={"kid": "k", **headers})


def segment(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_our_verifier_takes_what_pyjwt_signs(token_cli):
    assert token_cli.ask(encode(claims(), token_cli.key)) == ["accepted", ACCOUNT]
    assert token_cli.ask(encode(claims(extra="ü\U0001f600", n=[1.5]), token_cli.key)) == ["accepted", ACCOUNT]


def test_our_verifier_takes_a_delivered_token(token_cli, tasks, emulator, recorder, make_queue):
    token = delivered_token(
        tasks,
        make_queue().name,
        recorder,
        oidc_token=tasks_v2.OidcToken(service_account_email=ACCOUNT, audience=AUDIENCE),
    )
    keys = json.dumps(emulator.call("GET", "/oauth2/v3/certs")[1])
    assert token_cli.ask(token, jwks=keys, issuer=emulator.url) == ["accepted", ACCOUNT]
    # The verifier accepts an emulator as the issuer only by its name.
    assert token_cli.ask(token, jwks=keys) == ["refused", "issuerWrong"]
    assert token_cli.ask(token, issuer=emulator.url) == ["refused", "keyUnknown"]


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "PS384", "PS512"])
def test_other_rsa_signatures_are_refused(token_cli, algorithm):
    assert token_cli.ask(encode(claims(), token_cli.key, algorithm)) == ["refused", "algorithmWrong"]


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"aud": [AUDIENCE]}, "audienceNotText"),
        ({"aud": "https://other.example"}, "audienceWrong"),
        ({"aud": None}, "audienceMissing"),
        ({"exp": None}, "expiryMissing"),
        ({"exp": int(time.time()) - 3600, "iat": int(time.time()) - 7200}, "expired"),
        ({"iat": None}, "issuedAtMissing"),
        ({"iat": int(time.time()) + 3000}, "issuedInFuture"),
        ({"email": None}, "emailMissing"),
        ({"email": "other@example.com"}, "accountWrong"),
        ({"email_verified": "true"}, "emailNotVerified"),
        ({"iss": "https://accounts.example.com"}, "issuerWrong"),
    ],
)
def test_wrong_claims_are_refused(token_cli, changes, reason):
    assert token_cli.ask(encode(claims(**changes), token_cli.key)) == ["refused", reason]


def test_foreign_signatures_are_refused(token_cli):
    other = rsa_key()
    assert token_cli.ask(encode(claims(), other)) == ["refused", "signatureWrong"]
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(other.public_key()))
    assert token_cli.ask(encode(claims(), other, jwk=public)) == ["refused", "signatureWrong"]
    elliptic = ec.generate_private_key(ec.SECP256R1())
    assert token_cli.ask(encode(claims(), elliptic, "ES256")) == ["refused", "algorithmWrong"]
    assert token_cli.ask(jwt.encode(claims(), "", algorithm="none", headers={"kid": "k"})) == [
        "refused",
        "algorithmNone",
    ]


def test_the_public_key_is_no_secret(token_cli):
    secret = token_cli.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for algorithm, reason in [("HS256", "algorithmWrong"), ("RS256", "signatureWrong")]:
        signed = f"{segment({'alg': algorithm, 'kid': 'k'})}.{segment(claims())}"
        digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        token = f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
        assert token_cli.ask(token) == ["refused", reason]
