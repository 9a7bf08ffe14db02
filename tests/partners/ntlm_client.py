"""requests-ntlm through a proxy, as one user or as nobody.

    ntlm_client.py PROXY CA URL SESSIONS REQUESTS [USER PASSWORD]

Makes SESSIONS connections one after the other with REQUESTS requests on each, and prints a line for every answer:
its status and the user that the server took it for.
"""

import sys

import requests
from requests_ntlm import HttpNtlmAuth

proxy, ca, url, sessions, each = sys.argv[1:6]
for _ in range(int(sessions)):
    with requests.Session() as session:
        session.trust_env = False
        session.verify = ca
        session.proxies = {"http": proxy, "https": proxy}
        if len(sys.argv) > 6:
            session.auth = HttpNtlmAuth(*sys.argv[6:8])
        for _ in range(int(each)):
            answer = session.get(url, timeout=60)
            print(answer.status_code, answer.headers.get("X-Remote-User", ""), flush=True)
