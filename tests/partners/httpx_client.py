"""httpx over HTTP/2, whose frames are Python h2's: some requests side by side with Basic.

    httpx_client.py URL REQUESTS USER PASSWORD

Proxy and trusted roots come from HTTPS_PROXY and SSL_CERT_FILE. Prints a line for every answer, in order of the
requests: status, version, user and a digest of the body.
"""

import asyncio
import hashlib
import sys

import httpx

url, count, user, password = sys.argv[1:]


async def ask(client, number):
    answer = await client.get(f"{url}?{number}", headers={"x-number": str(number)})
    digest = hashlib.sha256(answer.content).hexdigest()[:16]
    said[number] = f"{answer.status_code} {answer.http_version} {answer.headers.get('x-remote-user', '-')} {digest}"


async def main():
    async with httpx.AsyncClient(http2=True, http1=False, auth=(user, password), timeout=60) as client:
        # The first alone, so that the others find its connection.
        await ask(client, 0)
        await asyncio.gather(*(ask(client, number) for number in range(1, int(count))))


said = {}
asyncio.run(main())
for number in sorted(said):
    print(said[number])
