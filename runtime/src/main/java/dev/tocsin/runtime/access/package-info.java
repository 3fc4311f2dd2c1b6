/** Who may call and how much: tokens, roles, quotas, certificates. */
package dev.tocsin.runtime.access;
