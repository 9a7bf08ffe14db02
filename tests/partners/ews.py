"""As much of Exchange Web Services as clients ask for when they log on: what an Exchange answers, in its shape."""

import re

MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"

ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
    '<h:ServerVersionInfo MajorVersion="15" MinorVersion="2" MajorBuildNumber="1544" MinorBuildNumber="11" '
    f'Version="V2017_07_11" xmlns:h="{TYPES}"/></s:Header>'
    f'<s:Body><m:{{0}}Response xmlns:m="{MESSAGES}" xmlns:t="{TYPES}"><m:ResponseMessages>'
    '<m:{0}ResponseMessage ResponseClass="{1}">{2}</m:{0}ResponseMessage>'
    "</m:ResponseMessages></m:{0}Response></s:Body></s:Envelope>"
)
FOLDER = (
    "<m:ResponseCode>NoError</m:ResponseCode><m:Folders><t:Folder>"
    '<t:FolderId Id="AAMkAGFj{0}" ChangeKey="AQAAABYAAAD"/><t:DisplayName>{0}</t:DisplayName>'
    "<t:TotalCount>3</t:TotalCount><t:ChildFolderCount>1</t:ChildFolderCount><t:UnreadCount>2</t:UnreadCount>"
    "</t:Folder></m:Folders>"
)
REFUSED = (
    "<m:MessageText>Id is malformed.</m:MessageText><m:ResponseCode>ErrorInvalidIdMalformed</m:ResponseCode>"
    "<m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>"
)


def answer(request):
    """The answer to a SOAP request: a folder for whoever asks for one, else a refusal."""
    operation = re.search(rb"Body[^>]*>\s*<(?:\w+:)?(\w+)", request).group(1).decode()
    folder = re.search(rb'DistinguishedFolderId[^>]*Id="(\w+)"', request)
    if operation == "GetFolder" and folder:
        text = ENVELOPE.format(operation, "Success", FOLDER.format(folder.group(1).decode()))
    else:
        text = ENVELOPE.format(operation, "Error", REFUSED)
    return text.encode()
