import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { decodeImage } from './node-image-decoder.ts'

/**
 * Pictures of 11 × 9 pixels written by Pillow 13.0.0 and the SHA-256 of `Image.open(f).convert("RGB").tobytes()`. The
 * first one's orientation tag asks for a quarter turn, which must not happen.
 */
const PICTURES: [string, string, string][] = [
  [
    'JPEG 4:2:0, turned by its tag',
    '/9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjL/wAARCAAJAAsDASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwDLvNR1FdKM91fXv2q8UG5JgAxHn7i+pyKi/wCEXi1P/TbbXjZQTfMluwXMY9Oa6XxX/wAeOjf9fB/9BNcPcf69/rU08XOlQWKpaOe6vp9yt2OGWKqTqSje0oPlv1aTdr+luh//2Q==',
    '06c33edf2f3933ee826ed282a5368c03992566a4fcb688cf1b97c3c90c8ba08f',
  ],
  [
    'JPEG grey',
    '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/wAALCAAJAAsBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/AMu81HUV0oz3V9e/arxQbkmADEefuL6nIqL/AIReLU/9NtteNlBN8yW7Bcxj05rpfFf/AB46N/18H/0E1w9x/r3+tf/Z',
    '862f6bac582cea6411daf2998f152451fe96ae0f2fd5f22827bab2e6fc92914d',
  ],
  [
    'JPEG CMYK',
    '/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAIBgYHBgUIBwcHCQkICgwUDQwLCwwZEhMPFB0aHx4dGhwcICQuJyAiLCMcHCg3KSwwMTQ0NB8nOT04MjwuMzQy/8AAFAgACQALBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwDPufEd34i8EapZeI9XurK7gmE13BJCFMsfAESZ6/Ng8Vk3V3qGkW0GpSXup3N7q1uEuZDa4EUIbO1P7zZHT0NZuup4iv2gl0kWlqkt79qaWGXePP27cjPbaOte/wBYcVjqt3Ek9vqsFjC4ylszjMY9OeaWT4f6ZrUh1LT9eaytLn95FbOADGD2Oea2Y9T2Rqur+O76HUAMTxpboQregNFSfGH/AJHFv+vofyFd/wCIP+RX8Lf9d2/9AaqHhT/kUNP/AN6isXVf+Qpcf71edQ/6la4DxX/yNWpf9djRX//Z',
    '5b5ad949cb38be3537b5777f60461ee288b1ee770246604b74166455eab62a28',
  ],
  [
    'JPEG progressive 4:2:2',
    '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjL/wgARCAAJAAsDASEAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAABQIE/8QAFgEBAQEAAAAAAAAAAAAAAAAABAID/9oADAMBAAIQAxAAAAHLGkJhlN//xAAcEAABAwUAAAAAAAAAAAAAAAADAAECBBMUMTL/2gAIAQEAAQUCmQlrFYiquJb/AP/EABwRAAEDBQAAAAAAAAAAAAAAAAIAAdEDITEycf/aAAgBAwEBPwE6pWNswm3Psr//xAAaEQACAgMAAAAAAAAAAAAAAAABAgADIURR/9oACAECAQE/AUdqSWOFPJrrP//EACAQAAEDAgcAAAAAAAAAAAAAAAIAARIDEBEhMkFCUXL/2gAIAQEABj8CxIzkerLZTGvBn49Kj6t//8QAGxAAAgEFAAAAAAAAAAAAAAAAAAFhESEx0fD/2gAIAQEAAT8hQs60kSS01B2QZT//2gAMAwEAAgADAAAAEFD/xAAZEQEAAwEBAAAAAAAAAAAAAAABABGxUaH/2gAIAQMBAT8QU01FJyyBrPW2P//EABsRAQACAgMAAAAAAAAAAAAAAAEAESFBgZHw/9oACAECAQE/EFOEUGWdPVw98z//xAAcEAACAgIDAAAAAAAAAAAAAAABEQAhMaFRgbH/2gAIAQEAAT8QLVIJkQm7ixMvVkYOLm69Tbn/2Q==',
    '5e5b11580a3258368a90509d1af09230c027bba3c236f394b34b6c1090ccded7',
  ],
  [
    'PNG with alpha',
    'iVBORw0KGgoAAAANSUhEUgAAAAsAAAAJCAYAAADkZNYtAAABoElEQVR4nAGVAWr+Af/SyWH08KAN6dGwyg6OuF4LNvS0759rd2bfQ322sFXuL6sywi737wEbCujzBNHFCVvl7RpS69olvzz78ezvAud3veT0iOHL27AL5sHfIjTmBv3V9azc4vDOBJWWBoje7Su79e/7giQV3hnkBtJZe8fs/++gvmop/sptOYMO9smbBrHCxwFDBMD9sewBJgA+ISMAnwodt+8Q+dhnJbf+VhL59ygYLfhj4hz7Du40PAUI5iweBN8hrt0nRR+SLFYU4QD5yFcdquimacIUQQkzDzDfLgikqOkWdwUpVNkrFEygAQk0gfAKSwCDHU37NDqt9LpLxeifOernuaEDGRmtEhbe2CAHYzlAJjk0KxxlBDL6L0Tk9OvF0+PxdO7AP/0a4uqiPCe/OMjeJNTE3R5VGNb+XxUa3OgWJ8qBAbJnTvfPNxWvvz4lff3cJtcOxvZoDsrY/8YYDe/4AhQXOdoLWgoowUf+Js4DBEAgx0YFGS3w5RsiJO0j9erbAPy71MwLPQAl/VQnE/cFH/YKSOX49DXe3+qQIBfLBRE2Qn0AAAAASUVORK5CYII=',
    '6ca6c802fa1d98a24d91423cd2c52186c55c64c1c82f3732eb6917e7c5e13cd8',
  ],
  [
    'PNG grey with alpha',
    'iVBORw0KGgoAAAANSUhEUgAAAAsAAAAJCAQAAABObR6mAAAA2klEQVR4nAHPADD/Ad5h6Q3UytZeIrRHd8Z9xe7iwgYBC/MBr7zkUtu/+uwgCCmIw6Xe3xUn6KzrzgKiiKS7toL2r+8AtP+zauH4OPYFsdEmBOLsDj4nnzXv8GfOVhAoImMFDh0FMh4EAN0qkkrhD1fNpv1BLDAgpOV3HtkgoAT94/SD3zTfg/LFJPro499mCFI7OSxlAhFE/4bkxs395aIUOO7z1lXbUe0A+4EBe/cUrxV97tfhaOD//u8BF/xaFEcQAwQfRhDwFSQd6vq7yD0jVBgF8kjyNd6QBnxps4E1hSYAAAAASUVORK5CYII=',
    '25e6ab16194784ef0ad206d480a82a180bffe21ea99a53407d27bfade9bffe91',
  ],
  [
    'PNG palette',
    'iVBORw0KGgoAAAANSUhEUgAAAAsAAAAJBAMAAAAWSsseAAAAGFBMVEWf1F8yuIKmfkwqf33GO3NgOZsfTmAmIY4EMohzAAAASklEQVR4nAE/AMD/AQAkHNNC+wJCAAAgAAACFVAGM7EQAiC+4Pz9AABjACQiERAEEBMgAhufBAAEEAMSAASv+uH+/CAC/vDhAANA3okRhm2SZRgAAAAASUVORK5CYII=',
    '38c934316fa008dca183b8d1ccffe48c8ef07732b1adfcf320e83836fd87e5ac',
  ],
  [
    'WebP',
    'UklGRqAAAABXRUJQVlA4IJQAAAAQAwCdASoLAAkAAkA4JbACdDXAPJu/UD4VfKOBXaGbUAAA/kW12vIl7zYtsgMuN7EuYVobHqJtVoHd5STt9EB5yMasnNGAE7QmUlWLJpjv/SFQ9zB3HrlAWQqK6uBxLEW9K3YN7LtOZFSP41yTMYr/j1rqXZrZ5sWNn/jUK3OBuvVvP8X6L2f8D7fj8TtDbV81gAAA',
    'bf89d2e7d0cb328f9bc4a586fc5b21addd97957b3f7b281ad18e7e47a188938c',
  ],
]

describe('decodeImage', () => {
  it.each(PICTURES)('decodes %s as Pillow does', async (_, base64, sha256) => {
    const { width, height, rgb } = await decodeImage(Buffer.from(base64, 'base64'), 'x')
    expect([width, height, rgb.length]).toEqual([11, 9, 3 * 11 * 9])
    expect(createHash('sha256').update(rgb).digest('hex')).toBe(sha256)
  })

  const jpeg = Buffer.from(PICTURES[0]![1], 'base64')
  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['text', new TextEncoder().encode('hello, world')],
    ['SVG', new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>')],
    ['a cut JPEG', jpeg.subarray(0, jpeg.length - 60)],
    ['the start of a JPEG', jpeg.subarray(0, 20)],
    ['a JPEG without pictures', Uint8Array.of(0xff, 0xd8, 0xff, 0xd9)],
  ])('refuses %s', async (_, bytes) => {
    await expect(decodeImage(bytes, 'p/\u001bx.jpg')).rejects.toMatchObject({ code: 'refused' })
    await expect(decodeImage(bytes, 'p/\u001bx.jpg')).rejects.toThrow('picture "p/\\u{1b}x.jpg"')
  })

  it('refuses a picture of too many pixels before it decodes any', async () => {
    const bomb = Buffer.from(PICTURES.find(([name]) => name === 'JPEG grey')![1], 'base64')
    const frame = bomb.indexOf(Buffer.from([0xff, 0xc0]))
    bomb.writeUInt16BE(60000, frame + 5)
    bomb.writeUInt16BE(60000, frame + 7)
    await expect(decodeImage(bomb, 'x')).rejects.toMatchObject({ code: 'limit' })
  })
})
