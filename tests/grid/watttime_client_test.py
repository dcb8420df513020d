"""Is our fake WattTime faithful? Its script is followed here by a second server, before WattTime's own Python client.

tests/grid/api/watttime_script.json says what is asked and what is answered; tests/grid/provider_test.cpp drives our client with
it (tests/fakes/api_server.hpp), this file the official one (PyPI: watttime). What both accept is no invention of ours.

Skipped (exit 77) where the client is not installed; scripts/install-clients installs it.
"""

import base64
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
SCRIPT = json.loads((HERE / "api" / "watttime_script.json").read_text())
SKIPPED = 77


class Server(http.server.ThreadingHTTPServer):
    """Follows the script on loopback, from its beginning."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.used = [0] * len(SCRIPT["rules"])
        self.calls = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path, query, authorization):
        self.calls.append((path, query))
        for i, rule in enumerate(SCRIPT["rules"]):
            fits = (
                rule["path"] == path
                and rule.get("authorization", authorization) == authorization
                and all(query.get(name) == value for name, value in rule.get("query", {}).items())
                and self.used[i] < rule.get("times", self.used[i] + 1)
            )
            if fits:
                self.used[i] += 1
                return rule["answer"]["status"], json.dumps(rule["answer"]["body"]).encode()
        return 404, b""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        status, body = self.server.answer(url.path, dict(urllib.parse.parse_qsl(url.query)), self.headers.get("Authorization", ""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def use(server, client_class, user=SCRIPT["user"], password=SCRIPT["password"]):
    os.environ.pop("WATTTIME_USER", None)
    client = client_class(user, password)
    client.url_base = server.url
    return client


def fails(call):
    try:
        call()
    except Exception as error:  # the client raises several kinds
        return str(error)
    raise AssertionError("expected a failure")


def test_history(watttime):
    server = Server()
    client = use(server, watttime.WattTimeHistorical)
    rows = client.get_historical_pandas("2022-07-15T00:00Z", "2022-07-15T00:15Z", "CAISO_NORTH")
    assert list(rows["value"]) == [870.0, 860.0, 0.0], rows
    assert [t.minute for t in rows["point_time"]] == [0, 5, 10], rows
    assert [path for path, _ in server.calls] == ["/login", "/v3/historical"], server.calls


def test_forecast(watttime):
    server = Server()
    client = use(server, watttime.WattTimeForecast)
    answer = client.get_forecast_json("CAISO_NORTH", horizon_hours=24)
    assert [row["value"] for row in answer["data"]] == [870.0, 868.0], answer
    assert server.calls[-1][1]["horizon_hours"] == "24", server.calls
    assert len(client.raised_warnings) == 1


def test_region(watttime):
    server = Server()
    client = use(server, watttime.WattTimeHistorical)
    assert client.region_from_loc("37.77", "-122.41")["region"] == "CAISO_NORTH"
    assert "404" in fails(lambda: client.region_from_loc("0", "0"))


def test_refusals(watttime):
    server = Server()
    client = use(server, watttime.WattTimeHistorical)
    assert "403" in fails(lambda: client.get_historical_pandas("2022-07-15T00:00Z", "2022-07-15T00:15Z", "PJM_NJ"))
    stranger = use(Server(), watttime.WattTimeHistorical, password="a toad")
    assert "401" in fails(lambda: stranger.get_historical_pandas("2022-07-15T00:00Z", "2022-07-15T00:15Z", "CAISO_NORTH"))


def test_script_names_its_own_user():
    both = f'{SCRIPT["user"]}:{SCRIPT["password"]}'.encode()
    assert SCRIPT["rules"][0]["authorization"] == "Basic " + base64.b64encode(both).decode()


def main():
    test_script_names_its_own_user()
    try:
        import watttime
    except ImportError:
        python = os.environ.get("GRAMWATT_CLIENTS_PYTHON", "")
        if os.path.exists(python) and os.path.realpath(sys.prefix) != os.path.realpath(pathlib.Path(python).parent.parent):
            sys.exit(subprocess.run([python, __file__], check=False).returncode)
        print("skipped: WattTime's Python client is not installed (scripts/install-clients)")
        sys.exit(SKIPPED)
    for test in (test_history, test_forecast, test_region, test_refusals):
        test(watttime)
        print("ok:", test.__name__)


if __name__ == "__main__":
    main()
