import java.io.InputStream;
import java.net.Authenticator;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

/**
 * Java's two HTTP clients: {@code java JavaClient.java old|new URL REQUESTS USER PASSWORD}.
 *
 * <p>The old one is HttpURLConnection and takes proxy and trust store from system properties; the new one is HttpClient
 * and is told the proxy by the property test.proxy. Prints a line for every answer: status, version, user, body.
 */
class JavaClient {
    public static void main(String[] arguments) throws Exception {
        URI uri = URI.create(arguments[1]);
        Authenticator account = new Authenticator() {
            @Override
            protected PasswordAuthentication getPasswordAuthentication() {
                return new PasswordAuthentication(arguments[3], arguments[4].toCharArray());
            }
        };
        boolean old = arguments[0].equals("old");
        Authenticator.setDefault(old ? account : null);
        HttpClient client = old ? null : client(account);
        for (int left = Integer.parseInt(arguments[2]); left > 0; left--) {
            System.out.println(old ? oldAnswer(uri) : newAnswer(client, uri));
        }
    }

    private static String oldAnswer(URI uri) throws Exception {
        HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
        int status = connection.getResponseCode();
        try (InputStream body = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            String text = body == null ? "" : new String(body.readAllBytes());
            return line(status, "HTTP_1_1", connection.getHeaderField("X-Remote-User"), text);
        }
    }

    private static String newAnswer(HttpClient client, URI uri) throws Exception {
        try {
            var answer = client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
            String user = answer.headers().firstValue("X-Remote-User").orElse(null);
            return line(answer.statusCode(), answer.version().name(), user, answer.body());
        } catch (java.io.IOException error) {
            return error.getMessage();
        }
    }

    private static HttpClient client(Authenticator account) {
        var builder = HttpClient.newBuilder().authenticator(account);
        String proxy = System.getProperty("test.proxy");
        if (proxy != null) {
            String[] parts = proxy.split(":");
            builder.proxy(ProxySelector.of(new InetSocketAddress(parts[0], Integer.parseInt(parts[1]))));
        }
        return builder.build();
    }

    private static String line(int status, String version, String user, String body) {
        return status + " " + version + " " + (user == null ? "-" : user) + " " + body.strip();
    }
}
