// The reference: oidc-provider with its in-memory adapter, which stores nothing. FORMAT is opaque or jwt.
import Provider from 'oidc-provider'

const port = Number(process.env.PORT)
const resource = { scope: 'messages', audience: 'urn:bench', accessTokenTTL: 3600, accessTokenFormat: process.env.FORMAT }
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'bench', client_secret: process.env.CLIENT_SECRET, grant_types: ['client_credentials'], redirect_uris: [],
    response_types: [], token_endpoint_auth_method: 'client_secret_post'
  }],
  scopes: ['messages'],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => 'urn:bench',
      getResourceServerInfo: async () => resource
    }
  },
  ttl: { ClientCredentials: 3600 }
})
provider.listen(port, '127.0.0.1')
