/**
 * The least server that can answer CopyObject: it looks for the end of each request and writes S3's answer. Tells its
 * port to the parent process, and ends with it.
 */
import { type AddressInfo, createServer } from 'node:net'

const BODY =
  '<?xml version="1.0" encoding="UTF-8"?>\n<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
  '<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;9b2cf535f27731c974343645a3985328&quot;</ETag>' +
  '<ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType></CopyObjectResult>'
const ANSWER = Buffer.from(
  [
    'HTTP/1.1 200 OK',
    `x-amz-id-2: ${'0'.repeat(76)}`,
    'x-amz-request-id: 0123456789ABCDEF',
    'date: Thu, 01 Jan 2026 00:00:00 GMT',
    'x-amz-server-side-encryption: AES256',
    'content-type: application/xml',
    `content-length: ${BODY.length}`,
    'server: AmazonS3',
    '',
    BODY,
  ].join('\r\n'),
)
const END = '\r\n\r\n'

const server = createServer((socket) => {
  let rest = ''
  socket.on('data', (chunk) => {
    const requests = (rest + chunk.toString('latin1')).split(END)
    rest = requests.pop() ?? ''
    for (const _ of requests) socket.write(ANSWER)
  })
  socket.on('error', () => socket.destroy())
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
