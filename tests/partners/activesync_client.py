"""pyactivesync, as a phone begins: provisioning, folders, and what is new in the inbox.

    activesync_client.py SERVER USER PASSWORD

SERVER is a host with its port. Proxy and trusted roots come from HTTPS_PROXY and REQUESTS_CA_BUNDLE. Prints what it
learned, or the error that it met.
"""

import sys

import requests
from pyactivesync import Client, FolderType
from pyactivesync.exceptions import ProvisionError

server, user, password = sys.argv[1:]
try:
    with Client(server, user, password, device_id="AVERYPHONE01", device_type="SmartPhone") as phone:
        try:
            phone.provision()
        except ProvisionError as error:
            # A server without a policy is no reason to stop; pyactivesync has no other way to be told so.
            print(error)
            phone._provisioned = True
        folders = phone.list_folders()
        for folder in sorted(folders, key=lambda folder: folder.name):
            print("folder", folder.type.name, folder.name)
        inbox = next(folder for folder in folders if folder.type == FolderType.INBOX)
        key = phone.sync_folder(inbox.id).sync_key
        items = phone.sync_folder(inbox.id, key).added
        print("inbox", phone.get_item_estimate(inbox.id, key), [item.fields.get("Email.Subject") for item in items])
        whole = phone.fetch_item(inbox.id, items[0].server_id)
        print("item", sorted(whole))
except requests.HTTPError as error:
    print("refused", error.response.status_code)
