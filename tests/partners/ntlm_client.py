"""requests-ntlm, as one user or as nobody.

    ntlm_client.py URL SESSIONS REQUESTS [USER PASSWORD]

Proxy and trusted roots come from HTTPS_PROXY and REQUESTS_CA_BUNDLE. Makes SESSIONS connections one after the other
with REQUESTS requests on each, and prints a line for every answer: its status and the user that the server took it
for.
"""

import sys

import requests
from requests_ntlm import HttpNtlmAuth

url, sessions, each = sys.argv[1:4]
for _ in range(int(sessions)):
    with requests.Session() as session:
        if len(sys.argv) > 4:
            session.auth = HttpNtlmAuth(*sys.argv[4:6])
        for _ in range(int(each)):
            answer = session.get(url, timeout=60)
            print(answer.status_code, answer.headers.get("X-Remote-User", ""), flush=True)
