// Drives `openid-client` from a test: discovery, code + PKCE, user info, refresh, introspection, revocation, logout.
// Prints one JSON object in a line for each step; reads the address that the browser was sent back to from the input.
import { createInterface } from 'node:readline'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, BYE, SCOPE } = process.env
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (step, value) => process.stdout.write(JSON.stringify({ step, ...value }) + '\n')
const hear = async () => (await lines.next()).value

const config = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, client.ClientSecretBasic(CLIENT_SECRET), {
  execute: [client.allowInsecureRequests]
})
say('discovered', { issuer: config.serverMetadata().issuer, pkce: config.serverMetadata().supportsPKCE() })

const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedNonce = client.randomNonce()
const expectedState = client.randomState()
say('go', {
  address: client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope: SCOPE,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    nonce: expectedNonce,
    state: expectedState,
    max_age: '600'
  }).href
})

const tokens = await client.authorizationCodeGrant(config, new URL(await hear()), {
  pkceCodeVerifier, expectedNonce, expectedState, idTokenExpected: true, maxAge: 600
})
const { sub } = tokens.claims()
say('tokens', { claims: tokens.claims(), expires_in: tokens.expires_in, scope: tokens.scope })
say('userinfo', { userinfo: await client.fetchUserInfo(config, tokens.access_token, sub) })

const renewed = await client.refreshTokenGrant(config, tokens.refresh_token)
say('refreshed', { changed: renewed.refresh_token !== tokens.refresh_token, claims: renewed.claims() })
say('introspected', { seen: await client.tokenIntrospection(config, renewed.access_token) })
await client.tokenRevocation(config, renewed.access_token)
say('revoked', { seen: await client.tokenIntrospection(config, renewed.access_token) })
say('leave', {
  address: client.buildEndSessionUrl(config, {
    id_token_hint: renewed.id_token, post_logout_redirect_uri: BYE, state: expectedState
  }).href,
  state: expectedState
})
const left = new URL(await hear())
say('left', { state: left.searchParams.get('state') === expectedState })
process.exit(0)
