/** The extension's service worker, in Firefox its background page: runs the job itself, then opens the extension's page. */
import { answer } from './run.mjs'

chrome.runtime.onInstalled.addListener(() => {
  answer('extension worker').then(() => chrome.tabs.create({ url: chrome.runtime.getURL('page.html') }))
})
