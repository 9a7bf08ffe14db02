// ews-javascript-api against an EWS endpoint, logged on with NTLM: asks for the inbox.
//
//     node ews_client.mjs URL DOMAIN USER PASSWORD
//
// Proxy and trusted roots come from HTTPS_PROXY and NODE_EXTRA_CA_CERTS. Prints what it found, or the status that it met.

import { createRequire } from "node:module";

// The packages live where the build puts things, not beside this file.
const require = createRequire(process.env.PARTNERS_NODE + "/");
const ews = require("ews-javascript-api");
const { XhrApi } = require("@ewsjs/xhr");

const [url, domain, user, password] = process.argv.slice(2);
const xhr = new XhrApi({});
xhr.useNtlmAuthentication(`${domain}\\${user}`, password);
const service = new ews.ExchangeService(ews.ExchangeVersion.Exchange2016);
service.XHRApi = xhr;
service.Credentials = new ews.WebCredentials(`${domain}\\${user}`, password);
service.Url = new ews.Uri(url);
try {
    const inbox = await ews.Folder.Bind(service, ews.WellKnownFolderName.Inbox);
    console.log(service.ServerInfo.VersionString, inbox.DisplayName, inbox.TotalCount);
} catch (error) {
    console.log(error.status ?? error.faultString ?? error.message ?? error);
}
