/** The layout of every page: a bar with breadcrumbs and the account menu, and the page below. */
import {
  Activity,
  Gauge,
  KeyRound,
  ListTodo,
  LockKeyhole,
  LogOut,
  Monitor,
  Moon,
  ScrollText,
  Search as SearchIcon,
  Shield,
  Smartphone,
  Sun,
  Trash2,
  UserRound,
  Users,
} from "lucide-preact";
import { type ComponentChildren, Fragment } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { me, signOut } from "../api/session";
import type { Me } from "../api/types";
import { Bell } from "../notifications/Bell";
import { Avatar } from "../parts/Avatar";
import { Kbd } from "../parts/Kbd";
import { Logo } from "../parts/Logo";
import { Menu, type MenuItem } from "../parts/Menu";
import { toastError } from "../parts/Toast";
import { setTheme, THEMES, theme } from "../parts/theme";
import { route, visits } from "../route";
import { openAccount } from "./Account";
import { mayLeave } from "./leave";
import { openSecondFactor } from "./SecondFactor";
import css from "./Shell.module.css";
import { openSearch, SEARCH_KEY } from "./search/Search";
import { openTokens } from "./Tokens";
import { UploadsPill } from "./UploadsPill";

export interface ShellProps {
  /** The title of the browser's tab. */
  title?: string;
  /** The breadcrumbs; the last is this page. */
  crumbs?: { name: string; href: string }[];
  children?: ComponentChildren;
}

export function Shell({ title, crumbs = [], children }: ShellProps) {
  useEffect(() => {
    document.title = title ? `${title} · Maskwright` : "Maskwright";
  }, [title]);

  // Moves the focus to the new page, for people who use the keyboard or a screen reader.
  const content = useRef<HTMLElement>(null);
  useEffect(() => {
    if (visits > 0 && document.activeElement === document.body)
      content.current?.focus({ preventScroll: true });
  }, []);

  return (
    <div class={css.shell}>
      <a href="#content" class={css.skip}>
        Skip to content
      </a>
      <header class={css.bar}>
        <a href="/" class={css.home} data-testid="home" aria-label="Maskwright: your projects">
          <Logo />
          <b>Maskwright</b>
        </a>
        <nav class={css.crumbs} aria-label="You are here">
          {crumbs.map(({ name, href }, index) => (
            <Fragment key={href}>
              <span aria-hidden="true">/</span>
              <a href={href} aria-current={index === crumbs.length - 1 ? "page" : undefined}>
                {name}
              </a>
            </Fragment>
          ))}
        </nav>
        <UploadsPill />
        {me.value && (
          <button
            type="button"
            class={css.search}
            data-testid="search-open"
            aria-label="Search"
            title={`Search (${SEARCH_KEY})`}
            onClick={openSearch}
          >
            <SearchIcon size={15} aria-hidden="true" />
            <span>Search</span>
            <Kbd keys={SEARCH_KEY} />
          </button>
        )}
        {me.value && (
          <a
            href="/work"
            class={css.work}
            aria-label="My work"
            title="My work"
            aria-current={route.value.page === "work" ? "page" : undefined}
            data-testid="my-work"
          >
            <ListTodo size={16} aria-hidden="true" />
            <span>My work</span>
          </a>
        )}
        {me.value && <Bell />}
        {me.value && <AccountMenu me={me.value} />}
      </header>
      <main ref={content} id="content" tabIndex={-1} class={css.main}>
        {children}
      </main>
    </div>
  );
}

const THEME_ITEMS = {
  system: { name: "Theme of the system", icon: Monitor },
  dark: { name: "Dark theme", icon: Moon },
  light: { name: "Light theme", icon: Sun },
} as const;

function AccountMenu({ me }: { me: Me }) {
  const shown = me.name || me.username;
  const admin: MenuItem[] = me.is_superuser
    ? [
        {
          name: "Admin",
          note: "Users and all tables",
          icon: Shield,
          testid: "account-admin",
          href: "/admin/",
        },
        {
          name: "Audit log",
          note: "What was done on the whole site",
          icon: ScrollText,
          testid: "account-audit",
          href: "/audit",
        },
        {
          name: "Status",
          note: "Queues, workers and storage",
          icon: Activity,
          testid: "account-status",
          href: "/status",
        },
        {
          name: "Quotas",
          note: "What projects and people may use",
          icon: Gauge,
          testid: "account-quotas",
          href: "/quotas",
        },
      ]
    : [];
  const leave = async () => {
    if (await mayLeave()) await signOut().catch(toastError);
  };
  return (
    <Menu
      label={`Account of ${shown}`}
      testid="account"
      align="end"
      class={css.account}
      heading={
        <>
          <b>{shown}</b>
          <br />
          {me.username}
        </>
      }
      items={[
        {
          name: "Your account",
          note: "Name, sessions, notifications",
          icon: UserRound,
          testid: "account-page",
          href: "/account",
        },
        { name: "Name and password", icon: LockKeyhole, testid: "account-change", perform: openAccount },
        {
          name: "Second factor",
          note: "Codes of an app, after the password",
          icon: Smartphone,
          testid: "account-second-factor",
          perform: openSecondFactor,
        },
        { name: "Tokens for scripts", icon: KeyRound, testid: "account-tokens", perform: openTokens },
        {
          name: "Teams",
          note: "People who work together",
          icon: Users,
          testid: "account-teams",
          href: "/teams",
        },
        { name: "Trash", icon: Trash2, testid: "account-trash", href: "/trash" },
        ...admin,
        "line",
        ...THEMES.map((name) => ({
          ...THEME_ITEMS[name],
          testid: `theme-${name}`,
          checked: theme.value === name,
          perform: () => setTheme(name),
        })),
        "line",
        {
          name: "Sign out",
          icon: LogOut,
          testid: "account-sign-out",
          perform: leave,
        },
      ]}
    >
      <Avatar id={me.id} name={shown} size={28} />
    </Menu>
  );
}
