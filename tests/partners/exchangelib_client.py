"""exchangelib against an EWS endpoint: finds out the way to log on and the version, then asks for the root folder.

    exchangelib_client.py URL USER PASSWORD

Proxy and trusted roots come from HTTPS_PROXY and REQUESTS_CA_BUNDLE. Prints what it found, or the name of the error
that it met.
"""

import sys

from exchangelib import DELEGATE, Account, Configuration, Credentials
from exchangelib.errors import EWSError
from exchangelib.protocol import BaseProtocol

url, user, password = sys.argv[1:]
BaseProtocol.TIMEOUT = 60
BaseProtocol.RETRY_WAIT = 0
try:
    config = Configuration(service_endpoint=url, credentials=Credentials(user, password))
    account = Account("avery@contoso.com", config=config, autodiscover=False, access_type=DELEGATE)
    print(account.protocol.auth_type, account.version.build, account.root.name, account.root.total_count)
except EWSError as error:
    print(type(error).__name__)
