"""What other programs make of session files, and session files as they write them.

    formats.py flows FILE            the flows that mitmproxy reads of a HAR or a flow file, one a line
    formats.py upgrade FILE NEW TO   a flow file brought to the format of that number, by mitmproxy's own conversions
    formats.py zip FILE [PASSWORD]   the members of an archive and what stands in them, by zipfile or pyzipper
    formats.py pack FILE PASSWORD    an archive with members of standard input, a JSON object, encrypted with AES
    formats.py many FILE COUNT       a HAR of COUNT entries
"""

import json
import sys
import zipfile


def flows(path):
    from mitmproxy import http
    from mitmproxy.io import FlowReader

    with open(path, "rb") as file:
        for flow in FlowReader(file).stream():
            assert isinstance(flow, http.HTTPFlow)
            status = flow.response.status_code if flow.response else None
            print(json.dumps([flow.request.method, flow.request.url, status, flow.request.headers.get("authorization")]))


def upgrade(path, new, to):
    from mitmproxy.io import compat, tnetstring

    with open(path, "rb") as file, open(new, "wb") as out:
        while file.peek(1):
            flow = tnetstring.load(file)
            while flow["version"] < int(to):
                flow = compat.converters[flow["version"]](flow)
            tnetstring.dump(flow, out)


def members(path, password=None):
    if password is None:
        archive = zipfile.ZipFile(path)
    else:
        import pyzipper

        archive = pyzipper.AESZipFile(path)
        archive.setpassword(password.encode())
    with archive:
        assert archive.testzip() is None
        print(json.dumps({info.filename: archive.read(info).decode("latin-1") for info in archive.infolist()}))


def pack(path, password):
    import pyzipper

    with pyzipper.AESZipFile(path, "w", compression=zipfile.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(password.encode())
        for name, content in json.load(sys.stdin).items():
            archive.writestr(name, content)


def many(path, count):
    """Entries of about a kilobyte: refusals and what follows them, on some thousand connections."""
    with open(path, "w") as file:
        file.write('{"log":{"version":"1.2","creator":{"name":"made up","version":"1"},"entries":[')
        for number in range(int(count)):
            second, status = number // 50, 401 if number % 3 == 0 else 200
            entry = {
                "startedDateTime": f"2026-11-22T{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}.{number % 50 * 20:03}Z",
                "time": 12,
                "connection": str(number // 20),
                "request": {
                    "method": "POST",
                    "url": f"https://mail.contoso.com/EWS/Exchange.asmx?n={number}",
                    "httpVersion": "HTTP/1.1",
                    "headers": [
                        {"name": "Host", "value": "mail.contoso.com"},
                        {"name": "User-Agent", "value": "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)"},
                        {"name": "Authorization", "value": f"Bearer secret-{number}"},
                    ],
                },
                "response": {
                    "status": status,
                    "statusText": "",
                    "httpVersion": "HTTP/1.1",
                    "headers": [
                        {"name": "request-id", "value": f"a8e9dfb4-cb06-4b18-80a0-{number:012x}"},
                        {"name": "X-FEServer", "value": "EX01"},
                        {"name": "WWW-Authenticate", "value": "Negotiate\nNTLM"},
                    ],
                    "content": {"size": 200, "mimeType": "text/xml", "text": "<s:Envelope><s:Body><m:GetFolderResponse/></s:Body></s:Envelope>"},
                },
                "timings": {"send": 1, "wait": 10, "receive": 1},
            }
            file.write(("," if number else "") + json.dumps(entry))
        file.write("]}}")


if __name__ == "__main__":
    {"flows": flows, "upgrade": upgrade, "zip": members, "pack": pack, "many": many}[sys.argv[1]](*sys.argv[2:])
